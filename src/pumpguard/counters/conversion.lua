-- conversion: do the messages sent to a subject get verified? A CUSUM over matured sends.
--
-- Stored: the sum (milli-nats, 4 bytes), sends that have matured (2), of them verified (2), until
-- when the alarm lasts (6), the newest slice (6), how many slices follow, plus 16 for each alarm in a
-- row of a counter with probes (1); then per slice of a
-- twelfth of `span`, newest first, 14 at most: sends that nobody has verified yet (2), sends that
-- somebody has (2), what those take from the sum (4, signed); then per verification, newest first,
-- 8 at most: its age in tenths of a second (2), a hash of its network (2), its last four digits (2).

local SLICE = 8  -- bytes
local MOST_SLICES = 14
local COUNTED_UP_TO = 10000  -- then both counts are halved
local HIGHEST_SUM = 4294967295
local FORGOTTEN_AFTER = 2 * DAY  -- without a send
local ALARM, MOST_ALARMS = 16, 15

TAIL[KIND] = function()
  local fail, ok, alarm, minimum, refuse_for, networks, near, probes, proved, longest
  fail, ok, alarm, minimum, refuse_for, networks, near, probes, proved, longest, at =
    unpack_from('>I4I4I4I4I6BBBBI6', plan, at)
  return {
    fail = fail, ok = ok, alarm = alarm, minimum = minimum, refuse_for = refuse_for,
    networks = networks == 1, near = near,
    probes = probes, proved = proved == 1, longest = longest,
  }
end

-- With probes: for how long proof buys nothing after so many alarms in a row.
local function conversion_refuses(alarms, shape)
  return alarms < 2 and 0 or min(shape.longest, shape.refuse_for * 2 ^ (alarms - 2))
end

-- With probes: how long this request waits. Half-open, only as many wait for their verification as
-- would, without it, be the next alarm.
local function conversion_wait(state, slices, age)
  if known or trusted or state.alarms == 0 then return 0 end
  local shape, now = state.shape, state.now
  if not shape.proved then return state.ends - now end
  if now < state.ends - shape.longest then return state.ends - shape.longest - now end
  local open, matures = 0, 0
  for i = state.count, 1, -1 do
    open = open + unpack_from('>I2', slices, SLICE * (i - 1) + 1)
    if open > 0 and matures == 0 then matures = (state.index - i + 2) * state.width + age end
  end
  return state.used + open * shape.fail >= shape.alarm and max(1, matures - now) or 0
end

local function conversion_read(_, span, stored, now, shape)
  local width = floor(span / 12)
  local index = floor(now / width)
  local sum, matured, verified, ends, count, slices, ring = 0, 0, 0, 0, 0, '', ''
  local newest, alarms = index, 0
  local listed = #stored >= 21 and byte(stored, 21) % ALARM or MOST_SLICES + 1
  if listed <= MOST_SLICES and #stored >= 21 + SLICE * listed then
    sum, matured, verified, ends, newest, count = unpack_from('>I4I2I2I6I6B', stored)
    if now - newest * width > FORGOTTEN_AFTER and now >= ends then
      sum, matured, verified, ends, newest, count = 0, 0, 0, 0, index, 0
    else
      alarms, count = floor(count / ALARM), listed
      slices = sub(stored, 22, 21 + SLICE * count)
      ring = sub(stored, 22 + SLICE * count)
    end
    if index < newest then index, now = newest, newest * width end
  end

  -- The oldest slices mature first.
  local age = matures_after > 0 and min(matures_after, span) or span
  while count > 0 and (newest - count + 2) * width + age <= now do
    if not no_verifications then
      local open, done, taken = unpack_from('>I2I2i4', slices, SLICE * (count - 1) + 1)
      sum = min(HIGHEST_SUM, max(0, sum + open * shape.fail - taken))
      matured, verified = matured + open + done, verified + done
    end
    count = count - 1
  end
  while matured > COUNTED_UP_TO do
    matured, verified = floor(matured / 2), floor(verified / 2)
  end
  if count == 0 then
    slices = ''
  elseif index > newest or SLICE * count < #slices then
    slices = string.rep('\0', SLICE * (index - newest)) .. sub(slices, 1, SLICE * count)
    count = count + index - newest
  end

  if ends > 0 and (now >= ends or (alarms > 0 and sum == 0)) then sum, ends, alarms = 0, 0, 0 end
  local begins = not no_verifications and sum >= shape.alarm and matured >= shape.minimum
  local wait
  if shape.probes == 0 then
    begins = begins and ends == 0
    if begins then ends = now + shape.refuse_for end
  elseif begins and now >= ends - shape.longest then
    -- What is on its way was sent before: only what comes now is told against those who prove.
    alarms, count, slices = min(MOST_ALARMS, alarms + 1), 0, ''
    sum = shape.alarm - shape.probes * shape.fail
    ends = now + conversion_refuses(alarms, shape) + shape.longest
  else
    begins = false
  end
  local state = {
    used = sum, now = now, begins = begins,
    matured = matured, verified = verified, ends = ends, alarms = alarms, index = index,
    width = width, count = count, slices = slices, ring = ring, shape = shape,
  }
  if no_verifications then
    state.wait = 0
  elseif shape.probes == 0 then
    state.wait = halves == 2 and 0 or max(0, ends - now)
  else
    state.wait = conversion_wait(state, slices, age)
  end
  return state
end

READ[KIND] = conversion_read

DETAIL[KIND] = function(state) return state.matured, state.verified end

local function conversion_kept(state)
  local ttl = max(FORGOTTEN_AFTER, state.ends - state.now)
  return pack(
    '>I4I2I2I6I6B', state.used, state.matured, state.verified, state.ends, state.index,
    state.count + ALARM * state.alarms
  ) .. state.slices .. state.ring, ttl
end

-- One more send that waits for its verification, unless this request began an alarm.
CHARGE[KIND] = function(_, _, state)
  if not state.begins then
    if state.count == 0 then
      state.count, state.slices = 1, pack('>I2I2i4', 1, 0, 0)
    else
      local open = min(65535, unpack_from('>I2', state.slices) + 1)
      state.slices = pack('>I2', open) .. sub(state.slices, 3)
    end
  end
  return conversion_kept(state)
end

-- outcomes

local VERIFICATION, RING = 6, 8  -- bytes, how many
local CROWD = 3  -- more than so many from one network make no difference

-- What a verification is worth, in thousandths.
local function conversion_worth(state)
  local ring, worth, total, same, close = state.ring, 1000, 0, 0, false
  local n = floor(#ring / VERIFICATION)
  for at = 1, VERIFICATION * n, VERIFICATION do
    local tenths, net, where = unpack_from('>I2I2I2', ring, at)
    total = total + tenths
    if net == network and network > 0 then same = same + 1 end
    if math.abs(where - last4) < state.shape.near then close = true end
  end
  if age < 30 then worth = worth / 5 end
  if n >= 6 then
    local deviation = 0
    for at = 1, VERIFICATION * n, VERIFICATION do
      deviation = deviation + math.abs(n * unpack_from('>I2', ring, at) - total)
    end
    if 10 * deviation < n * total then worth = worth / 5 end
  end
  if state.shape.networks then worth = floor(worth / (1 + min(CROWD, same))) end
  return close and floor(worth / 4) or worth
end

-- Takes a send out of its slice, or undoes its failure if it has matured. With what it `takes` it
-- joins the verified ones of its slice, or of the sum; without, it is as if never sent.
local function conversion_settled(state, takes)
  local back = max(0, state.index - floor(sent_at / state.width))
  local from, open, done, taken = SLICE * back + 1, 0, 0, 0
  if back < state.count then
    open, done, taken = unpack_from('>I2I2i4', state.slices, from)
  end
  if open > 0 then
    open = open - 1
    if takes then
      done = min(65535, done + 1)
      taken = max(-2147483648, min(2147483647, taken + takes))
    end
    state.slices = sub(state.slices, 1, from - 1) .. pack('>I2I2i4', open, done, taken)
      .. sub(state.slices, from + SLICE)
  elseif not no_verifications then
    state.used = min(HIGHEST_SUM, max(0, state.used - state.shape.fail - (takes or 0)))
    if takes then
      state.verified = min(state.matured, state.verified + 1)
    else
      state.matured = max(state.verified, state.matured - 1)
    end
  end
end

WEIGH[KIND] = function(limit, span, stored, shape)
  if outcome ~= 'v' and stored == '' then return end
  local state, worth = conversion_read(limit, span, stored, now, shape), nil
  if outcome == 'v' then
    worth = conversion_worth(state)
    conversion_settled(state, floor((worth * shape.ok - (1000 - worth) * shape.fail) / 1000))
    state.ring = pack('>I2I2I2', age, network, last4)
      .. sub(state.ring, 1, VERIFICATION * (RING - 1))
  elseif state.count > 0 or state.matured > 0 then
    conversion_settled(state)
  else
    return
  end
  local kept, ttl = conversion_kept(state)
  return kept, ttl, worth, shape.networks
end
