"""Whoever waits at the desk is woken, whoever else has walked away meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from finalmarket.stock.bells import LoopBell, ThreadBell, ring_all


def test_a_thread_that_left_does_not_keep_the_ring_from_those_behind_it() -> None:
    bells = [ThreadBell(1) for _ in range(40)]
    patient = [bell for n, bell in enumerate(bells) if n % 3 == 0]
    for bell in bells:
        if bell not in patient:
            assert bell.wait(0) is False
    with ThreadPoolExecutor(len(patient)) as threads:
        waits = [threads.submit(bell.wait, 60) for bell in patient]
        ring_all(bells)
        assert all(wait.result() for wait in waits)


def test_a_ring_before_the_wait_is_not_missed() -> None:
    bells = [ThreadBell(1) for _ in range(9)]
    ring_all(bells)
    assert [bell.wait(0) for bell in bells] == [True] * 9


def test_tasks_of_two_loops_and_threads_are_woken_by_one_ring() -> None:
    async def wait_and_be_counted(others: list[ThreadBell]) -> tuple[bool, bool]:
        bell = LoopBell(1, asyncio.get_running_loop())
        waiting = asyncio.create_task(bell.wait(60))
        await asyncio.to_thread(asyncio.run, ring_from_another_loop([bell, *others]))
        return await waiting, all(other.wait(0) for other in others)

    async def ring_from_another_loop(bells: list[LoopBell | ThreadBell]) -> None:
        own = LoopBell(1, asyncio.get_running_loop())
        ring_all([*bells, own])
        assert await own.wait(60)

    assert asyncio.run(wait_and_be_counted([ThreadBell(1) for _ in range(3)])) == (True, True)


def test_a_loop_that_was_closed_keeps_the_ring_from_nobody_else() -> None:
    loop = asyncio.new_event_loop()
    gone = LoopBell(1, loop)
    loop.close()
    other = ThreadBell(1)
    ring_all([gone, other])
    assert other.wait(0)
