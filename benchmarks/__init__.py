"""Figures as ratios, each measured in one run against the peer it is compared with: `make bench`."""
