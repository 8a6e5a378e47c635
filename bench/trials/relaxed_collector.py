"""A collector with a fault built in, for the positive control of the power cuts: its commits do not wait for the disk."""

from cegla.collect import committer
from cegla.worker.collector import duty, run

if __name__ == "__main__":
    committer.CONNECTION_OPTIONS = committer.CONNECTION_OPTIONS.replace("synchronous_commit=on", "synchronous_commit=off")
    run(duty())
