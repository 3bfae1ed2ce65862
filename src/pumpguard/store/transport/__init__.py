"""A small client for Redis and Valkey that does one thing: run a script, at most once, in time.

Why not redis-py's asyncio client? It is for every command and every use; a guard in front of each
request needs four things that it does not do:

- Nothing that may have counted is sent again. (redis-py retries by default: an increment whose
  reply was lost was counted eleven times. It can be told not to.)
- The deadline is about what the server owes, and not about how late we are. It holds for finding
  and reaching the server and then for its answer, and a turn of a busy event loop never uses it up
  (`pumpguard.turns`). (redis-py has a timeout for each step of each attempt, by the clock.)
- Calls that are made in one tick of the event loop leave in one write, on one connection.
  (redis-py takes a connection of its pool per call; its pipelines group commands of one caller.)
- A cancelled call costs nothing. (redis-py has to close the connection, because a reply is still
  to come on it: 400 cancelled calls opened 400 connections.)

And it takes a sixth to a tenth of the CPU. Microseconds of this process per EVALSHA (7 keys, 10
arguments), median and quartiles of 15 rounds in turns; by the clock, redis-py took 3.7 and 5.7
times as long:

    ==============  =================  ==============
                    1 in flight        64 in flight
    ==============  =================  ==============
    this transport  14 (13.4 to 14.3)  8 (7.4 to 8.7)
    redis-py        83 (81 to 84)      82 (78 to 88)
    ==============  =================  ==============

(2026-11-26, over a Unix socket: redis-py 8.1.0 with hiredis 3.5.0 and no retries, uvloop 0.23,
Python 3.11, two virtual cores that were busy with other work too.)

From redis-py we take URLs, TLS settings, error classes and the hash of a cluster's slots.

Read in this order: `link` (which server, how many trips), `connection` (one socket), `calls` (how a
call fails), `topology` (sentinels and clusters), `endpoint` (address and login), `resp` (bytes).
"""
