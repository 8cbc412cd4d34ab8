"""First-level topics, and the issue words by which a text's topic is told.

The table ``data/issues.toml`` is hand-written: about fifty issues, each with words in three steps
of weight. A text's topic is the one whose words weigh most; a word said often counts a little
more, not many times more. Pure: the same words always give the same answer.
"""

import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources


class Topic(StrEnum):
    """What a demand is about, first level (``TOPIC_NAMES`` has the Chinese terms)."""

    URBAN_CONSTRUCTION = "urban_construction"
    """城乡建设: housing, property management, planning, utilities, street order, buses."""
    LABOUR_SOCIAL_SECURITY = "labour_social_security"
    """劳动和社会保障: wages, contracts, insurance, pensions, employment."""
    EDUCATION_CULTURE_SPORT = "education_culture_sport"
    """教育文体: schools, enrolment, teachers, training, culture, sport."""
    COMMERCE_TOURISM = "commerce_tourism"
    """商贸旅游: consumers, prices, markets, pyramid selling, lifts, tourism."""
    ENVIRONMENT = "environment"
    """环境保护: noise, air, water, industrial pollution."""
    HEALTH_FAMILY_PLANNING = "health_family_planning"
    """卫生计生: hospitals, family planning, epidemics, food and medicines."""
    TRANSPORT = "transport"
    """交通运输: taxis, roads outside town, coaches, congestion, post."""
    PUBLIC_SECURITY = "public_security"
    """公安政法: fire, crime, household registration, traffic police, dogs."""
    CIVIL_AFFAIRS = "civil_affairs"
    """民政: relief, marriage registration, funerals, veterans."""
    RURAL_AFFAIRS = "rural_affairs"
    """农村农业: land contracts, homesteads, subsidies."""
    ECONOMY_TELECOM = "economy_telecom"
    """经济通信: telecoms, banks, insurance, tax."""
    OTHER = "other"
    """其他: set by an agent; the machine leaves the field empty instead."""


TOPIC_NAMES = {
    Topic.URBAN_CONSTRUCTION: "城乡建设",
    Topic.LABOUR_SOCIAL_SECURITY: "劳动和社会保障",
    Topic.EDUCATION_CULTURE_SPORT: "教育文体",
    Topic.COMMERCE_TOURISM: "商贸旅游",
    Topic.ENVIRONMENT: "环境保护",
    Topic.HEALTH_FAMILY_PLANNING: "卫生计生",
    Topic.TRANSPORT: "交通运输",
    Topic.PUBLIC_SECURITY: "公安政法",
    Topic.CIVIL_AFFAIRS: "民政",
    Topic.RURAL_AFFAIRS: "农村农业",
    Topic.ECONOMY_TELECOM: "经济通信",
    Topic.OTHER: "其他",
}
_WEIGHTS = {"sure": 3.0, "likely": 2.0, "hint": 1.0}
_MIN_SCORE = 2.0
_LANDMARK = re.compile(
    r"[的里]?(?:门口|大门|旁边?|对面|附近|后面|前面|门前|路口|那条路|那个?路|"
    r"[东南西北](?:门|边|侧)|站口|[一二三四五六七八九十百0-9]+[号栋幢期])"
)
_WAYS = frozenset("从到至")
_LANDMARK_SHARE = 0.34
"""光明小学门口没有路灯 is about the lamp: a word that only tells where counts a third."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One kind of matter under a topic."""

    topic: Topic
    title: str


@dataclass(frozen=True, slots=True)
class IssueWord:
    """A word of the table found in a text."""

    start: int
    end: int
    word: str
    issue: Issue
    weight: float


@dataclass(frozen=True, slots=True)
class TopicGuess:
    """The topic that the words of a call point to."""

    topic: Topic
    issue: Issue
    confidence: float
    """Share of the weight of the two heaviest topics, so 0.5 is a tie."""


@cache
def _table() -> dict[str, tuple[Issue, float]]:
    text = resources.files("transcription").joinpath("data/issues.toml").read_text("utf-8")
    words: dict[str, tuple[Issue, float]] = {}
    for row in tomllib.loads(text)["issue"]:
        issue = Issue(Topic(row["topic"]), row["title"])
        for step, weight in _WEIGHTS.items():
            for word in row.get(step, "").split():
                words.setdefault(word, (issue, weight))
    return words


@cache
def _longest() -> dict[str, int]:
    """First character of a word → length of the longest word that begins so."""
    longest: dict[str, int] = defaultdict(int)
    for word in _table():
        longest[word[0]] = max(longest[word[0]], len(word))
    return dict(longest)


@lru_cache(maxsize=2048)
def find_issue_words(text: str) -> tuple[IssueWord, ...]:
    """Words of the table from left to right, longest first, never overlapping."""
    table, longest = _table(), _longest()
    found, position = [], 0
    while position < len(text):
        step = 1
        for length in range(longest.get(text[position], 0), 0, -1):
            word = text[position : position + length]
            if word in table:
                issue, weight = table[word]
                if text[position - 1 : position] in _WAYS or _LANDMARK.match(
                    text, position + length
                ):
                    weight *= _LANDMARK_SHARE
                found.append(IssueWord(position, position + len(word), word, issue, weight))
                step = len(word)
                break
        position += step
    return tuple(found)


def guess_topic(words: Iterable[IssueWord]) -> TopicGuess | None:
    """The topic of all words of a call together; None when they say too little."""
    counts: dict[str, int] = defaultdict(int)
    said: dict[str, IssueWord] = {}
    for word in words:
        counts[word.word] += 1
        if word.word not in said or said[word.word].weight < word.weight:
            said[word.word] = word
    topics: dict[Topic, float] = defaultdict(float)
    issues: dict[Issue, float] = defaultdict(float)
    for text, word in said.items():
        weight = word.weight * (1 + 0.5 * math.log2(counts[text]))
        topics[word.issue.topic] += weight
        issues[word.issue] += weight
    if not topics:
        return None
    ranked = sorted(topics, key=lambda t: -topics[t])
    if topics[ranked[0]] < _MIN_SCORE:
        return None
    second = topics[ranked[1]] if len(ranked) > 1 else 0.0
    confidence = topics[ranked[0]] / (topics[ranked[0]] + second + 1.0)
    issue = max((i for i in issues if i.topic is ranked[0]), key=lambda i: issues[i])
    return TopicGuess(ranked[0], issue, round(confidence, 3))
