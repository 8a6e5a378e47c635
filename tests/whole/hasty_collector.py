"""A collector with a fault built in, for the positive control: it answers before the commit."""

from cegla.collect.committer import GroupCommitter, Outcome, Row
from cegla.collect.wire import Door
from cegla.worker.collector import duty, run


class HastyCommitter(GroupCommitter):
    """Says "committed" as soon as it has a request in memory."""

    def commit(self, row: Row) -> None:
        super().commit(row)
        row.answer(Outcome.COMMITTED)  # whatever is said afterwards reaches nobody


class HastyDoor(Door):
    """A door that trusts the hasty committer."""

    make_committer = HastyCommitter


if __name__ == "__main__":
    run(duty(), HastyDoor)
