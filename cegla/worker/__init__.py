"""The processes: the supervisor of `cegla up`, the collectors, and the app's loops. They call `flow` and decide nothing."""
