"""What an API key may be used for. A key never allows more than its person's roles do."""

from rules.errors import N_

READ, WRITE, EXPORT = "read", "write", "export"
SCOPES = {
    READ: N_("Read records"),
    WRITE: N_("Change records"),
    EXPORT: N_("Export lists"),
}
EXPIRY_DAYS = (30, 90, 365)
EXPIRY_DEFAULT = 90
