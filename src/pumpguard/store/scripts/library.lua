-- library: a script as a function of the server's, which keeps what it defines from call to call. That
-- is done at the first call, because a library that is being loaded sees no `struct`.

local KEYS, ARGV, run
local function define()
-- SCRIPT
end
redis.register_function('NAME', function(keys, arguments)
  KEYS, ARGV, run = keys, arguments, run or define()
  return run()
end)
