"""What Rubin's FITS catalogues say in cards of their own: flags and descriptions.

A catalogue has all its flags in one bit column, named by ``TFLAGn`` cards, and
columns' descriptions in ``TDOCn``. Reads no file.
"""

from __future__ import annotations

import re
from typing import Any

_OWN_CARDS = re.compile(r"(TDOC|TCCLS|TFLAG|TFDOC)\d+|FLAGCOL|AFW_(TABLE_VERSION|TYPE)")


def name_flags(table: Any) -> Any:
    """Give a Rubin catalogue a boolean column per flag, and its columns descriptions.

    Parameters
    ----------
    table
        Table as astropy reads it, with all cards in its metadata; any other
        table is left as it is.

    Returns
    -------
    astropy.table.Table
        The same object. The bit column is gone, flags come last; the cards
        used are no longer in the metadata.
    """
    meta = table.meta
    if "AFW_TABLE_VERSION" not in meta:
        return table
    for index, name in enumerate(table.colnames, start=1):
        if f"TDOC{index}" in meta:
            table[name].info.description = str(meta[f"TDOC{index}"])
    if "FLAGCOL" in meta:
        bits = table.colnames[int(meta["FLAGCOL"]) - 1]
        values = table[bits]
        del table[bits]
        for index in range(1, values.shape[1] + 1):
            name = str(meta.get(f"TFLAG{index}", f"flag_{index}"))
            table[name] = values[:, index - 1]
            table[name].info.description = str(meta.get(f"TFDOC{index}", "")) or None
    for card in [card for card in meta if _OWN_CARDS.fullmatch(card)]:
        del meta[card]
    return table
