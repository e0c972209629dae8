"""What a store says when it cannot be used."""


class StoreError(Exception):
    """A store cannot be started or reached. `str(error)` is the problem and the remedy, one line."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem} {remedy}")


def lost_connection(error: BaseException) -> StoreError | None:
    """The StoreError to show for a driver's error when a server went away, None for other errors."""
    import redis
    from pymongo.errors import AutoReconnect, ConnectionFailure

    for store, kinds in (
        ("MongoDB", (ConnectionFailure, AutoReconnect)),
        ("Valkey", (redis.ConnectionError, redis.TimeoutError)),
    ):
        if isinstance(error, kinds):
            return StoreError(
                f"{store} went away and did not come back in time.",
                "See `carebook status`, then run the command again.",
            )
    return None
