-- mix: do a country's messages go to other ranges of numbers than they used to?
--
-- Stored: the minute of the last ageing (4 bytes), until when the alarm lasts (6), then per group of
-- ranges what is recent (256ths of a message, 3) and what was before (256ths, 4); 32 groups, by the
-- first three digits modulo 32. What fades is what is learned from; that is forgotten within weeks.
-- The plan brings where the alarm is, and for how long it lasts. Twin: mix.py

local GROUPS, MIX_UNIT, MIX_KAPPA, MIX_LEARNED, MIX_WEEK = 32, 256, 10, 30, 168
local MIX_FORMAT, MIX_SIZE = '>' .. string.rep('I3I4', GROUPS), 10 + 7 * GROUPS
local MIX_MOST, MIX_LEARNED_MOST, MIX_REMEMBERED = 16777215, 4294967295, 14 * DAY

-- What is usual for a group, if so many messages are recent as there are (256ths).
local function mix_usual(state, i)
  local prior = MIX_KAPPA * MIX_UNIT
  return state.total * ((state.learned[i] + prior / GROUPS) / (state.past + prior))
end

-- How far what is recent is from what is usual, in nats, less what chance brings.
local function mix_deviance(state, own)
  local sum, used = 0, 0
  for i = 1, GROUPS do
    local count = state.recents[i] + (i == own and MIX_UNIT or 0)
    if count > 0 then
      local c, mu = count / MIX_UNIT, mix_usual(state, i) / MIX_UNIT
      sum, used = sum + c * ln(c / mu), used + 1
    end
  end
  return sum - (used - 1) / 2
end

local function mix_read(minimum, span, stored, now, shape)
  local minute = floor(now / 60000)
  local state = {now = now, wait = 0, more = 0, most = 0, till = 0, shape = shape}
  local recents, learned, total, past = {}, {}, MIX_UNIT, 0
  local keep, forget = 1, 1
  local values
  if #stored == MIX_SIZE then
    local written
    written, state.till = unpack_from('>I4I6', stored)
    values = {unpack_from(MIX_FORMAT, stored, 11)}
    if minute < written then
      minute, state.now = written, written * 60000
    elseif minute > written then
      keep = power(1 - 60000 / span, minute - written)
      forget = power(1 - 1 / MIX_WEEK, floor(minute / 60) - floor(written / 60))
    end
  end
  for i = 1, GROUPS do
    local recent, before = 0, 0
    if values then recent, before = values[2 * i - 1], values[2 * i] end
    if keep < 1 then
      local left = floor(recent * keep)
      before = min(MIX_LEARNED_MOST, floor((before + recent - left) * forget))
      recent = left
    end
    recents[i], learned[i], total, past = recent, before, total + recent, past + before
  end
  state.minute, state.recents, state.learned, state.total, state.past =
    minute, recents, learned, total, past
  local own = tonumber(sub(digits, 1, 3)) % GROUPS + 1
  state.own, state.used = own, floor(total / MIX_UNIT) - 1
  local alarmed = state.till > state.now
  local enough = alarmed or total >= minimum * MIX_UNIT
  if known or not enough or past < MIX_LEARNED * MIX_UNIT then return state end
  local usual = mix_usual(state, own)
  if recents[own] <= (alarmed and 1 or 2) * usual then return state end
  state.most = min(MIX_MOST, floor(usual))
  if alarmed then
    state.wait = state.till - state.now
    return state
  end
  local nats = floor(mix_deviance(state, own) * 1000)
  if nats >= shape.h then
    state.begins, state.more, state.wait = true, nats, shape.hold
  end
  return state
end

-- One message more; or the alarm begins, and what was too much is forgotten.
local function mix_charge(_, _, state)
  if state.begins then
    state.till = state.now + state.shape.hold
    local usual = {}
    for i = 1, GROUPS do usual[i] = mix_usual(state, i) end
    for i = 1, GROUPS do
      if state.recents[i] > 2 * usual[i] then state.recents[i] = floor(usual[i]) end
    end
  else
    state.recents[state.own] = min(MIX_MOST, state.recents[state.own] + MIX_UNIT)
  end
  local values = {}
  for i = 1, GROUPS do
    values[2 * i - 1], values[2 * i] = state.recents[i], state.learned[i]
  end
  return pack('>I4I6', state.minute, state.till) .. pack(MIX_FORMAT, unpack(values)),
    MIX_REMEMBERED
end

READ.M, CHARGE.M = mix_read, mix_charge
