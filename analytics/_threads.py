"""Small matrices are multiplied on the thread that asks: a second one waits for its share in a busy loop."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _several() -> Any:
    """The thread pools of NumPy's linear algebra, None where one thread is all they have (`OMP_NUM_THREADS=1`)."""
    pools = ThreadpoolController().select(user_api="blas")
    return pools if any(one["num_threads"] > 1 for one in pools.info()) else None


def one_thread() -> AbstractContextManager[object]:
    """While it lasts, no product of matrices takes more processor time than its own."""
    pools = _several()
    return nullcontext() if pools is None else pools.limit(limits=1)
