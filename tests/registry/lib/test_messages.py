"""Errors of code that knows no Django: one English sentence, translated with its values in place."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest
from django.utils import translation

from registry import algorithms
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.lib.errors import MessageError, split_error
from registry.lib.messages import translate_error, translate_message
from registry.lib.old_messages import PRESENT_WORDING
from registry.model_versions.bundle import Bundle, _check_tensors
from registry.series.calendar import holiday_features
from registry.series.panel import Panel
from tests.helpers.source_tree import modules
from tests.helpers.waves import ROLES, wave_frame
from training.learning.pipeline import TrainingConfig, TrainingPipeline
from training.process.exit_reasons import INTERRUPTED_TEXT, WORKER_INTERRUPTED_TEXT, explain_exit

PURE = (
    "registry/algorithms/",
    "registry/series/",
    "registry/model_versions/bundle",
    "registry/model_versions/golden",
    "training/learning/",
)
# met by whoever writes an algorithm or the numerics, never by a user
TECHNICAL = ("Two algorithms are called", "Windows of ", "")


def raised_calls():
    """Each `raise X(...)` of the pure code."""
    for path, tree in modules():
        if str(path).startswith(PURE):
            for node in ast.walk(tree):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    yield node.exc


def first_words(node: ast.expr) -> str | None:
    """The text up to its first value."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) else None


def test_the_numerics_raise_messages_with_values_and_no_finished_sentences():
    calls = list(raised_calls())
    finished = [first_words(call.args[0]) for call in calls if call.args]
    assert len(calls) > 15
    assert [text for text in finished if text and not text.startswith(TECHNICAL[:2])] == []


def test_every_place_of_a_message_gets_its_value():
    for call in raised_calls():
        marked = call.args[0] if call.args else None
        if isinstance(marked, ast.Call) and isinstance(marked.args[0], ast.Constant):
            places = set(re.findall(r"\{(\w+)\}", marked.args[0].value))
            assert places == {keyword.arg for keyword in call.keywords}, marked.args[0].value


def wave(days: int = 30) -> Panel:
    return Panel.from_frame(wave_frame(days), ROLES)


def version() -> DatasetVersion:
    return DatasetVersion(dataset=Dataset(name="pharmacies"), number=1, stores=["S1", "S2"])


def tensors(*shape: int, value: float = 0.0):
    import torch

    return {"a.weight": torch.full(shape, value)}


def transformer(**knobs: int):
    entry = algorithms.get_entry("transformer")
    return entry.module_class(algorithms.build_config("transformer", knobs), None)


EXAMPLES = [
    (
        lambda: TrainingPipeline(wave(), TrainingConfig("kan")),
        "There are 30 days of sales, but forecasting 28 days ahead needs 70: "
        "add older days or forecast fewer days.",
        "现有 30 天销售，但预测未来 28 天需要 70 天：请补充更早的日期或减少预测天数。",
    ),
    (
        lambda: Panel.from_frame(wave_frame(30).assign(sales=np.nan), ROLES),
        "There are no sales in this scope: choose another store or product.",
        "此范围内没有销售：请选择其他门店或商品。",
    ),
    (
        lambda: wave().as_of("2030-01-01"),
        "2030-01-01 is outside the sales: use 2024-01-01 to 2024-01-30.",
        "2030-01-01 不在销售数据之内：请用 2024-01-01 至 2024-01-30。",
    ),
    (
        lambda: holiday_features(wave().dates, "QQ"),
        "Country 'QQ' is not known: use a two-letter code such as CN, DE or US.",
        "不认识国家 'QQ'：请用两个字母的代码，如 CN、DE 或 US。",
    ),
    (
        lambda: Bundle.forecast(None, None, 0),
        "0 days ahead cannot be forecast: use 1 or more.",
        "无法预测未来 0 天：请用 1 或更大的数。",
    ),
    (
        lambda: Bundle.from_bytes(b"nonsense"),
        "The model file is damaged: delete this version and train it again.",
        "模型文件已损坏：请删除此版本并重新训练。",
    ),
    (
        lambda: _check_tensors(tensors(2), {}),
        "The model file does not fit its algorithm (a.weight): train it again.",
        "模型文件与其算法不符（a.weight）：请重新训练。",
    ),
    (
        lambda: _check_tensors(tensors(2), tensors(3)),
        "The weights a.weight have the wrong shape: delete this version and train it again.",
        "权重 a.weight 的形状不对：请删除此版本并重新训练。",
    ),
    (
        lambda: _check_tensors(tensors(2, value=np.nan), tensors(2)),
        "The weights a.weight are not finite: delete this version and train it again.",
        "权重 a.weight 不是有限数：请删除此版本并重新训练。",
    ),
    (
        lambda: algorithms.build_config("kan", {"past_days": "x"}),
        "past_days is 'x': use a whole number.",
        "past_days 是 'x'：请用整数。",
    ),
    (
        lambda: algorithms.build_config("kan", {"rate": "x"}),
        "rate is 'x': use a number.",
        "rate 是 'x'：请用数字。",
    ),
    (
        lambda: algorithms.build_config("kan", {"past_days": 3}),
        "past_days is 3: use a value from 14 to 728.",
        "past_days 是 3：请用 14 到 728 之间的值。",
    ),
    (
        lambda: transformer(width=30, heads=4),
        "width 30 is not a multiple of heads 4: change one of them.",
        "width 30 不是 heads 4 的倍数：请改其中一个。",
    ),
    (
        lambda: version().read(),
        "The file of pharmacies v1 is missing: delete it and make it again.",
        "pharmacies v1 的文件不见了：请删除后重新生成。",
    ),
    (
        lambda: version().check_scope(Scope("store", "S9")),
        "pharmacies has no store 'S9': it has S1, S2, …",
        "pharmacies 中没有门店 'S9'：有 S1, S2 等。",
    ),
]


@pytest.mark.parametrize(
    ("broken", "english", "chinese"), EXAMPLES, ids=[text[:50] for _raise, text, _zh in EXAMPLES]
)
def test_a_message_reads_the_same_in_both_languages_as_before(broken, english, chinese):
    with pytest.raises(MessageError) as caught:
        broken()
    assert (str(caught.value), translate_error(caught.value)) == (english, english)
    with translation.override("zh-hans"):
        assert translate_error(caught.value) == chinese


@pytest.mark.parametrize(
    ("message", "values", "english", "chinese"),
    [
        (
            explain_exit(1, "MemoryError", 6000).text,
            explain_exit(1, "MemoryError", 6000).values,
            "The training needed more memory than 6 GB: choose a smaller scope or a smaller network, "
            "or raise TRAINING_MEMORY_MB.",
            "训练所需内存超过 6 GB：请选择更小的范围或更小的网络，或调高 TRAINING_MEMORY_MB。",
        ),
        (
            WORKER_INTERRUPTED_TEXT,
            {"error": "KeyError"},
            "The worker interrupted the training (KeyError). Start it again.",
            "训练被其工作进程中断（KeyError）。请重新开始。",
        ),
        (
            INTERRUPTED_TEXT,
            {"error": "KeyError"},
            "The training was interrupted (KeyError). Start it again.",
            "训练被中断（KeyError）。请重新开始。",
        ),
    ],
)
def test_reasons_for_the_end_of_a_training_are_translated(message, values, english, chinese):
    assert translate_message(message, values) == english
    with translation.override("zh-hans"):
        assert translate_message(message, values) == chinese


def test_a_text_without_values_is_only_translated():
    assert translate_message("") == ""
    assert translate_message("Something {else}.") == "Something {else}."
    assert translate_error(ValueError("Something else.")) == "Something else."
    assert split_error(ValueError("Broken.")) == ("Broken.", {})


def test_the_old_wording_of_a_saved_message_is_shown_as_today_in_both_languages():
    for old, new in PRESENT_WORDING.items():
        assert set(re.findall(r"\{\w+", old)) == set(re.findall(r"\{\w+", new))
        values = dict.fromkeys(re.findall(r"\{(\w+)", new), 0.5)
        assert translate_message(old, values) == translate_message(new, values)
        with translation.override("zh-hans"):
            assert re.search("[\u4e00-\u9fff]", translate_message(old, values)), new
