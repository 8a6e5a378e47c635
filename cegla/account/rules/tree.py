"""The tree of accounts: who stands above whom. What the data say may run in a circle; no question here does."""

from collections.abc import Collection, Mapping, Sequence

Parents = Mapping[int, int]  #: account → the account above it


def above(account: int, parents: Parents) -> list[int]:
    """The accounts above, the nearest first; a circle ends before it closes."""
    found = [account]
    while (upper := parents.get(found[-1])) is not None and upper not in found:
        found.append(upper)
    return found[1:]


def below(account: int, children: Mapping[int, Sequence[int]]) -> set[int]:
    """The account itself and all accounts below it."""
    found = {account}
    frontier = [account]
    while frontier:
        frontier = [child for one in frontier for child in children.get(one, ()) if child not in found]
        found.update(frontier)
    return found


def children_of(parents: Parents) -> dict[int, list[int]]:
    """The same tree the other way round."""
    found: dict[int, list[int]] = {}
    for child, upper in sorted(parents.items()):
        found.setdefault(upper, []).append(child)
    return found


def concerned(accounts: Collection[int], parents: Parents) -> set[int]:
    """These accounts and all above them: whose figures a change in one of them can change."""
    return {*accounts, *(upper for account in accounts for upper in above(account, parents))}
