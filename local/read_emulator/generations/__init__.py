"""Every generation of Azure's asynchronous Read: a file for each family, with the differences between its versions."""

from local.read_emulator.generations import computer_vision_v2, computer_vision_v3, document_intelligence
from local.read_emulator.generations.base import Answer, Generation, Json, Options

__all__ = ["ALL", "Answer", "Generation", "Json", "Options"]

ALL: tuple[Generation, ...] = (
    *computer_vision_v2.VERSIONS,
    *computer_vision_v3.VERSIONS,
    *document_intelligence.VERSIONS,
)
