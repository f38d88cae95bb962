"""``[tracking.wandb]`` and ``[tracking.mlflow]``: each a switch (``wandb = true``) or a table."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from cfgc.schema.field import Section, logistics
from cfgc.schema.values import Text

_SCHEMES = ("http", "https", "file", "databricks")
_NAMED_PROFILE = "databricks"


def _store(value: str) -> str:
    """A place that MLflow's client writes to without another library, and that holds no secret."""
    try:
        place = urlsplit(value)
        signed_in = place.username is not None and place.password is None  # a password is a finding of its own
    except ValueError:
        raise PydanticCustomError("mlflow_uri", "not an address") from None
    if signed_in:
        raise PydanticCustomError("mlflow_uri", "whoever signs in is not part of the address")
    if value != _NAMED_PROFILE and place.scheme not in _SCHEMES:
        raise PydanticCustomError("mlflow_uri", "not http, https, file or databricks")
    return value


Store: TypeAlias = Annotated[Text, AfterValidator(_store)]
"""Where MLflow keeps runs: ``https://…``, ``file:///…`` or ``databricks``."""


class Wandb(Section):
    """Weights & Biases. The key is read from the variable WANDB_API_KEY, never from the spec."""

    enabled: bool | None = logistics(
        None, "Report. Absent: when any key of this table is set.", why="It decides only who is told of metrics."
    )
    mode: Literal["online", "offline"] | None = logistics(
        None,
        "How it reports; `offline` writes files for `wandb sync`, without a network. Absent: online.",
        why="It decides only who is told of metrics.",
    )
    project: Text | None = logistics(
        None, "Project. Absent: the experiment's name.", why="It is a name at the tracker.", min_length=1
    )
    entity: Text | None = logistics(
        None, "User or team that owns it. Absent: the account's own.", why="It is a name at the tracker.", min_length=1
    )
    group: Text | None = logistics(None, "Runs shown together.", why="It is a name at the tracker.", min_length=1)
    name: Text | None = logistics(
        None, "Name of the run. Absent: that of the run directory.", why="It is a name at the tracker.", min_length=1
    )


class Mlflow(Section):
    """MLflow. Credentials are read from its own variables, such as MLFLOW_TRACKING_TOKEN."""

    enabled: bool | None = logistics(
        None, "Report. Absent: when any key of this table is set.", why="It decides only who is told of metrics."
    )
    uri: Store | None = logistics(
        None,
        "The tracking server. Absent: files below `tracking/mlflow` of the run.",
        why="It decides only who is told of metrics.",
    )
    experiment: Text | None = logistics(
        None, "Experiment. Absent: the spec's experiment.", why="It is a name at the tracker.", min_length=1
    )
    name: Text | None = logistics(
        None, "Name of the run. Absent: that of the run directory.", why="It is a name at the tracker.", min_length=1
    )


def is_on(tracker: Wandb | Mlflow) -> bool:
    """Whether the run reports there."""
    said = [getattr(tracker, name) for name in type(tracker).model_fields if name != "enabled"]
    return any(value is not None for value in said) if tracker.enabled is None else tracker.enabled
