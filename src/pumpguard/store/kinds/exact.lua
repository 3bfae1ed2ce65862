-- exact: arithmetic that both languages do by the same steps.

local function power(base, times)
  local result = 1
  while times > 0 do
    if times % 2 == 1 then result = result * base end
    base = base * base
    times = floor(times / 2)
  end
  return result
end

-- The natural logarithm to nine digits, by the same steps in both languages.
local function ln(x)
  local mantissa, exponent = math.frexp(x)
  local t = (mantissa - 0.7071067811865476) / (mantissa + 0.7071067811865476)
  local s = t * t
  local series = 1 + s * (1 / 3 + s * (0.2 + s * (1 / 7 + s / 9)))
  return exponent * 0.6931471805599453 + -0.34657359027997264 + 2 * t * series
end
