-- blocks: refused blocks of numbers, and the way back.
--
-- Stored: per block its prefix as a number with a 1 before it (6 bytes), until when it is closed
-- (6), its level (1), what would be usual per window (256ths, 3), how many asked during the proof
-- stage (1), how many canaries passed (1), how many refused numbers follow (1), those (6 each).
-- Stages: 1 closed, 2 proof, 3 canary, 4 watched, 5 gone. Twin: blocks.py

local BLOCKS, BLOCK_RING, AGREEING, FREE_DIGITS, SPARE = 8, 10, 9, 2, 3
local HIGHEST_LEVEL, LONGEST_CLOSED, WATCHED = 10, DAY, 3 * DAY
local RECENT_MOST = 16777215

local function number_packed(digits_of) return pack('>I6', tonumber('1' .. digits_of)) end

local function number_at(stored, from)
  return sub(string.format('%.0f', (unpack_from('>I6', stored, from))), 2)
end

local function blocks_unpacked(stored, from, count)
  local blocks = {}
  for i = 1, count do
    if #stored < from + 18 then break end
    local block, ring, rung = {ring = {}}, 0, 0
    block.prefix = number_at(stored, from)
    local _
    _, block.till, block.level, block.expected, block.asked, block.passed, rung, from =
      unpack_from('>I6I6BI3BBB', stored, from)
    for k = 1, min(rung, floor((#stored - from + 1) / 6)) do
      block.ring[k] = number_at(stored, from)
      from = from + 6
    end
    blocks[i] = block
  end
  return blocks
end

local function blocks_packed(blocks)
  local parts = {}
  for _, b in ipairs(blocks) do
    parts[#parts + 1] = number_packed(b.prefix)
      .. pack('>I6BI3BBB', b.till, b.level, b.expected, b.asked, b.passed, #b.ring)
    for _, number in ipairs(b.ring) do parts[#parts + 1] = number_packed(number) end
  end
  return table.concat(parts)
end

local function starts_with(number, prefix) return sub(number, 1, #prefix) == prefix end

local function block_stage(shape, block, now)
  local past = now - block.till
  if past < 0 then return 1 end
  past = past - shape.hold / 4
  if past < 0 then return 2 end
  past = past - shape.hold
  if past < 0 then return 3 end
  return past < WATCHED and 4 or 5
end

local function block_allowance(shape, block, lasts)
  return min(255, SPARE + floor(2 * block.expected * lasts / (shape.span * 256)))
end

local function block_refuses(shape, block, stage)
  if stage == 3 then
    return not shape.proved and block.passed >= block_allowance(shape, block, shape.hold)
  end
  return stage == 1 or (stage == 2 and not shape.proved)
end

local function block_lasts(shape, level)
  return min(LONGEST_CLOSED, math.ldexp(shape.hold, level))
end

local function block_close(shape, block, now)
  block.level = min(HIGHEST_LEVEL, block.level + 1)
  block.till, block.asked, block.passed = now + block_lasts(shape, block.level), 0, 0
end

-- The narrower block in which all but one of the refused numbers lie, if there is one.
local function block_narrow(block)
  local ring = block.ring
  if #ring < BLOCK_RING then return end
  local found = block.prefix
  for i = 1, 2 do
    for depth = #ring[i] - FREE_DIGITS, #found + 1, -1 do
      local prefix, agree = sub(ring[i], 1, depth), 0
      for _, number in ipairs(ring) do
        if starts_with(number, prefix) then agree = agree + 1 end
      end
      if agree >= AGREEING then
        found = prefix
        break
      end
    end
  end
  if found ~= block.prefix then
    local narrower = tonumber('1e' .. #found - #block.prefix)
    block.expected = floor(block.expected / narrower)
    block.prefix, block.ring = found, {}
  end
end

-- A number was refused. Who asks again says nothing new.
local function block_struck(shape, block, number, now)
  local stage = block_stage(shape, block, now)
  if stage == 3 then return block_close(shape, block, now) end
  for _, each in ipairs(block.ring) do
    if each == number then return end
  end
  table.insert(block.ring, 1, number)
  block.ring[BLOCK_RING + 1] = nil
  block_narrow(block)
  if stage == 2 then
    block.asked = block.asked + 1
    if block.asked > block_allowance(shape, block, shape.hold / 4) then
      block_close(shape, block, now)
    end
  end
end

-- The narrowest block around the new one that holds two others, if it is not too wide.
local function block_widened(shape, live, new, size)
  local length, own = #new.prefix, new.prefix
  for less = 1, 2 do
    local shorter = length - less
    if shorter < 1 or size - shorter > shape.widest then return end
    local around, others = sub(own, 1, shorter), 0
    for _, b in ipairs(live) do
      if starts_with(b.prefix, around) and #b.prefix > shorter and not starts_with(b.prefix, own) then
        others = others + 1
      end
    end
    if others >= 2 then
      new.prefix = around
      new.expected = min(RECENT_MOST, new.expected * tonumber('1e' .. less))
      return
    end
  end
end

-- The blocks with a new one, which takes the place of all that are wider or narrower.
local function blocks_added(shape, blocks, new, size, now)
  local live, rest = {}, {}
  for _, block in ipairs(blocks) do
    if block_stage(shape, block, now) < 5 then live[#live + 1] = block end
  end
  block_widened(shape, live, new, size)
  for _, block in ipairs(live) do
    if starts_with(block.prefix, new.prefix) or starts_with(new.prefix, block.prefix) then
      new.level = min(HIGHEST_LEVEL, max(new.level, block.level + 1))
      new.till = now + block_lasts(shape, new.level)
    else
      rest[#rest + 1] = block
    end
  end
  if #rest >= BLOCKS then
    local first = 1
    for i, block in ipairs(rest) do
      if block.till < rest[first].till then first = i end
    end
    table.remove(rest, first)
  end
  rest[#rest + 1] = new
  return rest
end
