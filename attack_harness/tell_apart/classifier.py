"""How well two sides can be told apart: cross-validated by session, with an interval.

Needs scikit-learn, which only the ``[dev]`` extra brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from .features import Features

Floats: TypeAlias = NDArray[np.float64]

FOLDS = 5
RESAMPLES = 400
CONFIDENCE = 0.99

CLASSIFIERS: dict[str, Callable[[int], Any]] = {
    "logistic regression": lambda seed: make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=2_000, random_state=seed)
    ),
    "gradient boosting": lambda seed: HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, learning_rate=0.1, random_state=seed
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """The area under the curve: 0.5 is guessing, 1 is knowing. ``low`` and ``high`` enclose it
    with 99 % confidence, by resampling sessions."""

    classifier: str
    auc: float
    low: float
    high: float
    samples: int
    sessions: int


def tell_apart(
    rows: Sequence[Features], shadowed: Sequence[bool], sessions: Sequence[int], seed: int = 0
) -> list[Told]:
    """Train each classifier on four fifths of the sessions and try it on the rest, five times."""
    matrix = np.array([list(row.values()) for row in rows], dtype=float)
    truth, groups = np.array(shadowed), np.array(sessions)
    with threadpool_limits(1):  # on a machine that does other things, threads wait for each other
        return [
            _told(name, make(seed), matrix, truth, groups, seed)
            for name, make in CLASSIFIERS.items()
        ]


def _told(
    name: str, model: Any, matrix: Floats, truth: NDArray[Any], groups: NDArray[Any], seed: int
) -> Told:
    scores = np.zeros(len(truth))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(matrix, truth, groups):
        model.fit(matrix[train], truth[train])
        found = model.predict_proba(matrix[test])[:, 1]
        # Ranks, because the scales of five models differ, and that must not count as an error.
        scores[test] = (rankdata(found) - 0.5) / len(test)
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(len(members), size=len(members))
        rows = np.concatenate([members[n] for n in chosen])
        drawn.append(auc(scores[rows], truth[rows]))
    edge = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [edge, 1 - edge])
    return Told(name, auc(scores, truth), float(low), float(high), len(truth), len(members))


def auc(scores: Floats, truth: NDArray[Any]) -> float:
    """The chance that a shadow scores above a real one, ties counting half (Mann and Whitney)."""
    ranks = rankdata(scores)
    shadows = int(truth.sum())
    others = len(truth) - shadows
    above = ranks[truth].sum() - shadows * (shadows + 1) / 2
    return float(above / (shadows * others))
