"""Who could be the same? Likely duplicates among people, as proposals with their evidence.

Promise: nobody is joined here. A person accepts or refuses each proposal; what was refused is never proposed again.
"""
