"""Run-time overrides: the posture and the allow and deny lists.

`posture`, `lists`, `document` and `lookup` are pure. `sync` and `admin` read and write the
document in the store.
"""
