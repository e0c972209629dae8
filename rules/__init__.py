"""Pure decisions: no I/O, no clock, no Flask, no mongoengine. `now` and `today` are arguments."""
