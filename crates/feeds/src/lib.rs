//! Feeds, checkpoints and the one reader runner.
