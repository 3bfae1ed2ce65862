-- readings: what is known of the counters of a question, by their index in the order of the plan.

local reports = byte(ARGV[4]) % 2 == 1  -- are all to be reported, not only those that are full?
local used, waits, details, full = {}, {}, {}, false
local refusing, admitted = {}, ARGV[2] ~= '1'

local function noted(counter, binds, amount, wait, detail, second)
  used[counter], waits[counter] = amount, wait
  if detail then details[counter] = {detail, second} end
  if wait > 0 then
    full = true
    if binds then
      refusing[counter] = true
      admitted = false
    end
  end
end
