"""A collector with a fault built in, for the positive control of the power cuts: its commits do not wait for the disk."""

from cegla.collect import committer
from cegla.storage.settings import load_settings
from cegla.worker.collector import run

if __name__ == "__main__":
    committer.CONNECTION_OPTIONS = committer.CONNECTION_OPTIONS.replace("synchronous_commit=on", "synchronous_commit=off")
    run(load_settings())
