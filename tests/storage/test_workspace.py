"""A workspace gives each caller its own transaction, and opens its stores only when asked."""

import pytest

from cegla.storage.workspace import Workspace


def test_a_block_that_raises_leaves_nothing_behind(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        conn.execute("create table kept (number integer)")
    with pytest.raises(RuntimeError), workspace.transaction() as conn:
        conn.execute("insert into kept values (1)")
        raise RuntimeError
    with workspace.transaction() as conn:
        assert conn.execute("select count(*) from kept").fetchone() == (0,)


@pytest.mark.parametrize("number", range(3))
def test_every_test_has_a_database_of_its_own(workspace: Workspace, number: int) -> None:
    with workspace.transaction() as conn:
        conn.execute("create table mine as select 1 as number")


def test_the_warehouse_is_opened_on_first_use(workspace: Workspace) -> None:
    assert not (workspace.settings.data_dir / "warehouse").exists()
    assert workspace.warehouse.path.exists()
