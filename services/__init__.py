"""Use cases: the only writers of domain documents."""
