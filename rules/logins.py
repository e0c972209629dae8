"""How patient the login is with wrong attempts."""

from datetime import timedelta

FREE_ATTEMPTS = 5  # wrong logins in a row before the account is locked
LOCK_SHORTEST = timedelta(seconds=30)  # the first lock; each further wrong login doubles it
LOCK_LONGEST = timedelta(hours=1)
