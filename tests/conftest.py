"""Nothing of ours is patched anywhere below; time is an argument."""
