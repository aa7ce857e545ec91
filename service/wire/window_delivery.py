"""⑩ Send the results of one window, most urgent first: into the client's slots, or as chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Executor
from typing import Any, Protocol

import numpy as np
from stereoconvert.v1 import frame_pb2, stereo_convert_pb2

from service.wire.frame_store import StoreSlot
from service.wire.frame_wire import format_to_wire
from service.wire.slot_pool import SlotPool
from service.wire.window_pixels import WindowResults, bands_of


class Send(Protocol):
    """Writes one ConvertWindowResponse with this field set."""

    def __call__(self, **message: Any) -> Awaitable[None]:
        """Raises StalledError when the client does not read."""
        ...


class WindowDelivery:
    """Lives on the event loop; pixels are encoded by `copiers`."""

    def __init__(self, send: Send, copiers: Executor, slots: SlotPool | None, max_chunk_bytes: int) -> None:
        """`slots` None: as chunks."""
        self._send = send
        self._copiers = copiers
        self._slots = slots
        self._max_chunk_bytes = max_chunk_bytes

    async def deliver(self, wanted: tuple[int, ...], results: WindowResults) -> int:
        """Send each wanted frame; return how many values had to be clamped."""
        clamped = 0
        for position, index in enumerate(wanted):
            result = stereo_convert_pb2.ResultFrame(index=index, format=format_to_wire(results.format))
            if self._slots is not None:
                clamped += await self._in_slot(position, results, result, await self._slots.lend())
            else:
                clamped += await self._in_chunks(position, results, result)
        return clamped

    async def _in_slot(
        self, position: int, results: WindowResults, result: stereo_convert_pb2.ResultFrame, slot: StoreSlot
    ) -> int:
        clamped = await self._write(position, results, slot.view())
        result.location.store_id = slot.store.store_id
        result.location.offset_bytes, result.location.size_bytes = slot.offset_bytes, slot.size_bytes
        await self._send(result=result)
        return clamped

    async def _in_chunks(self, position: int, results: WindowResults, result: stereo_convert_pb2.ResultFrame) -> int:
        pixels, clamped = results.pixels(position), 0
        if pixels is None:
            pixels = memoryview(np.empty(results.format.frame_bytes, np.uint8).data)
            clamped = await self._write(position, results, pixels)
        await self._send(result=result)
        for offset in range(0, len(pixels), self._max_chunk_bytes):
            data = bytes(pixels[offset : offset + self._max_chunk_bytes])
            await self._send(chunk=frame_pb2.FrameChunk(offset_bytes=offset, data=data))
        return clamped

    async def _write(self, position: int, results: WindowResults, buffer: memoryview) -> int:
        """Encode a result into a buffer, in bands beside the event loop; return how many values were clamped."""
        loop = asyncio.get_running_loop()
        bands = [
            loop.run_in_executor(self._copiers, results.write, position, buffer, rows)
            for rows in bands_of(results.format)
        ]
        return sum(await asyncio.gather(*bands))
