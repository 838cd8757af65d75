"""`PipelineTaskConfig`: the part that names connections."""

from __future__ import annotations

import pickle

import pytest
from pydantic import Field

from pipetask.config import PipelineTaskConfig
from pipetask.connections import InitOutput, Input, Output, PipelineTaskConnections
from pipetask.errors import TaskConfigError, UnknownFieldError


class CoaddConnections(
    PipelineTaskConnections, dimensions=("tract",), default_templates={"coaddName": "deep"}
):
    warps = Input("{coaddName}Warp", "Exposure", doc="Warps.", multiple=True)
    coadd = Output("{coaddName}Coadd", "Exposure")
    schema = InitOutput("coadd_schema", "Table")


class CoaddConfig(PipelineTaskConfig, connections=CoaddConnections):
    n_min: int = Field(2, description="Fewest warps.")


class PortedConfig(PipelineTaskConfig, pipelineConnections=CoaddConnections):
    pass


class ChildConfig(CoaddConfig):
    n_max: int = Field(9, description="Most warps.")

    def set_defaults(self) -> None:
        self.connections.coaddName = "good"


def test_connections_and_templates_are_fields() -> None:
    config = CoaddConfig()

    assert config.connections.warps == "{coaddName}Warp"
    assert config.connections.schema == "coadd_schema"
    assert "Warps." in str(type(config.connections).model_fields["warps"].description)
    with pytest.raises(UnknownFieldError, match=r"no field 'warp'. Did you mean 'warps'"):
        config.connections.warp = "x"


def test_configured_names_reach_the_connections() -> None:
    config = CoaddConfig()
    config.connections.coaddName = "best"
    config.connections.schema = "other"

    connections = config.connections.ConnectionsClass(config=config)

    assert connections.warps.name == "bestWarp"
    assert connections.schema.name == "other"
    assert CoaddConfig().connections.coaddName == "deep"


def test_template_takes_a_number_as_text() -> None:
    config = CoaddConfig()

    config.set_dotted("connections.coaddName", "3", source="test")

    assert config.connections.coaddName == "3"


def test_subclass_inherits_connections_and_may_change_their_defaults() -> None:
    config = ChildConfig(n_max=3)

    assert config.connections.coaddName == "good"
    assert ChildConfig.ConnectionsClass is CoaddConnections
    assert (config.n_min, config.n_max) == (2, 3)


def test_rubins_class_keyword_and_field_are_known() -> None:
    config = PortedConfig(saveLogOutput=False)
    assert not config.save_log_output

    config.saveLogOutput = True

    assert config.save_log_output
    assert config.get_dotted("saveLogOutput")
    assert PortedConfig.ConnectionsClass is CoaddConnections


def test_what_is_no_connections_class_is_refused() -> None:
    with pytest.raises(TaskConfigError, match=r"takes a subclass of PipelineTaskConnections"):

        class Wrong(PipelineTaskConfig, connections=int):  # type: ignore[arg-type]
            pass


def test_generated_part_survives_pickling_and_yaml() -> None:
    config = CoaddConfig()
    config.connections.coaddName = "best"
    config.freeze()

    again = pickle.loads(pickle.dumps(config))

    assert again == config
    assert type(again.connections) is CoaddConfig.ConnectionsConfigClass
    assert CoaddConfig.from_yaml(config.to_yaml()) == config
