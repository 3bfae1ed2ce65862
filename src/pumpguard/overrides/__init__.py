"""Run-time overrides: the posture and the allow and deny lists.

`posture`, `lists`, `document`, `escalation` and `lookup` are pure. `sync` and `admin` read and
write the document in the store; `escalator` writes it when findings call for it.
"""
