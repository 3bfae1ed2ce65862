-- credit: how much a subject may have outstanding for messages that nobody has verified.
--
-- The rules of lines are in credit.py. What is reserved is beside the line, as far as it is open to
-- the request (common.lua).
-- Stored: the debt (6 bytes), the thousandth in which it was written (6), the most that was verified on
-- one of the days, less what had to be forgiven since (6), the newest day (2), and what was verified on it and on the days
-- before it, 6 bytes each, newest first, 15 at most.

local DAYS, AGAIN = 15, 2
local USUALLY, LATEST = 150000, 4  -- ms after which messages are given up where codes come in time
local LONGEST_DEBT = 4000  -- thousandths of `span` for which one that nobody touches is remembered

local function credit_most(days, most)  -- on one of them
  for at = 1, #days, 6 do most = max(most, (unpack_from('>I6', days, at))) end
  return most
end

local function credit_days(best, newest, days, today)
  local ago = today - newest
  if ago == 0 or #days == 0 then return best, days end
  days = sub(string.rep('\0', 6 * min(ago, DAYS)) .. days, 1, 6 * DAYS)
  local most = credit_most(days, 0)
  return min(best, most), most > 0 and days or ''
end

TAIL[KIND] = function()
  local yields, permille, reserved, vouches
  yields, permille, reserved, vouches, at = unpack_from('>BI2I2I2', plan, at)
  return {
    yields = yields % 2 == 1, except_trusted = yields > 1, permille = permille, reserved = reserved, vouches = vouches,
  }
end

local function credit_read(limit, span, stored, now, terms)
  local step, today, debt, best, days = floor(now * 1000 / span), floor(now / DAY), 0, 0, ''
  local passed = 0
  if #stored >= 20 and (#stored - 20) % 6 == 0 then
    local written, newest
    debt, written, best, newest = unpack_from('>I6I6I6I2', stored)
    passed = step - written
    if passed < 0 then passed, step, now = 0, written, floor(written * span / 1000) end
    today = max(today, newest)
    best, days = credit_days(best, newest, sub(stored, 21), today)
  end
  local line = max(limit, floor(best / 1000) * terms.permille)
  local forgiven = max(1, floor(line / 1000))
  local lost = passed <= LONGEST_DEBT and min(debt, passed * forgiven) or debt
  if lost > 0 then
    debt, best = debt - lost, max(0, best - lost)
    line = max(limit, floor(best / 1000) * terms.permille)
    forgiven = max(1, floor(line / 1000))
  end
  local least = limit > 0 and price or 0  -- who owes nothing has one message, however dear
  local more = min(halves == 2 and AGAIN * price or max(owed, mistyped), AGAIN * price)
  local wait, fits = 0, max(line, least) + more
  if terms.yields then
    local late = terms.except_trusted and matures_after > USUALLY
    fits = owed > 0 and halves < 2 and not late and min(line, floor(line / 2) + price) or line
    if late then fits = floor(fits * min(LATEST, matures_after / USUALLY)) end
  end
  -- One that yields only asks: bots know numbers of others, and are to be asked like strangers.
  if not terms.yields or halves == 2 then
    fits = fits + opened(floor(line / 1000) * terms.reserved)
  end
  fits = max(fits, least)
  if debt + price > fits and not (terms.except_trusted and (trusted or unheard)) then
    local steps = price > fits and 1000 or math.ceil((debt + price - fits) / forgiven)
    wait = math.ceil((step + steps) * span / 1000) - now
  end
  return {
    used = debt, wait = wait, now = now, step = step, today = today, best = best, days = days,
    forgiven = forgiven, line = line, silent = terms.except_trusted and unheard,
  }
end

-- The state with a debt, and for how long it can matter.
local function credit_kept(span, state, debt)
  local ttl = min(math.ceil(debt / state.forgiven) + 1, LONGEST_DEBT) * span / 1000
  if #state.days > 0 then ttl = max(ttl, (state.today + DAYS) * DAY - state.now) end
  return pack('>I6I6I6I2', debt, state.step, state.best, state.today) .. state.days,
    math.ceil(ttl)
end

READ[KIND] = credit_read

DETAIL[KIND] = function(state) return state.line, state.best end

CHARGE[KIND] = function(_, span, state)
  if state.silent then return end
  return credit_kept(span, state, state.used + price)
end

-- outcomes

-- The debt is paid back, and some of others'; what was `earned` makes today's credit grow.
TELL[KIND] = function(limit, span, stored, terms, worth)
  local earned = outcome == 'v' and floor(price * worth / 1000) or 0
  if earned == 0 and stored == '' then return end
  local state = credit_read(limit, span, stored, now, terms)
  if earned == 0 and state.used == 0 and state.days == '' then return end
  if earned > 0 then
    local days = #state.days > 0 and state.days or string.rep('\0', 6)
    local verified = unpack_from('>I6', days) + earned
    state.days = pack('>I6', verified) .. sub(days, 7)
    state.best = max(state.best, verified)
  end
  -- What was forgiven too soon is no loss.
  local soon = floor(max(0, price - state.used) * (outcome == 'v' and worth or 1000) / 1000)
  if soon > 0 then state.best = max(state.best, min(state.best + soon, credit_most(state.days, 0))) end
  local paid = price + floor(earned * terms.vouches / 1000)
  return credit_kept(span, state, max(0, state.used - paid))
end
