"""The archive: what everybody may read of the issues that were sent, and how it is found again."""
