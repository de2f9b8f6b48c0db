"""Every generation of Azure's asynchronous Read: a file for each family, with what differs between its versions."""

from local.read_service.generations.base import Answer, Generation, Json, Options
from local.read_service.generations.computer_vision_v3 import V3_2

__all__ = ["ALL", "Answer", "Generation", "Json", "Options"]

ALL: tuple[Generation, ...] = (V3_2,)
