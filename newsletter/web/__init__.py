"""The browser's front door: preview, unsubscribe, health."""
