"""Products and orders from CSV files: mapped, checked, staged, written in bulk (see docs/import.md)."""
