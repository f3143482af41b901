"""The browser's front door: pages for readers, the archive and its feeds, previews of issues."""
