"""What the endpoints of field mappings answer: the fields of the other side, and yours.

Described as in ``accounts``. Those that answer by common model (``Employee``, ``Candidate``, …)
have ``by_model``, because the names are the other side's.
"""

from __future__ import annotations

from merge_link.records import Part, Result, member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RemoteEndpoint(Part):
    """Where a field of the other side comes from."""

    method: str | None = None
    url_path: str | None = None
    field_traversal_path: list[Any] | None = None


class RemoteField(Part):
    """A field of the other side."""

    remote_key_name: str | None = None
    schema: dict[str, Any] | None = None
    remote_endpoint_info: RemoteEndpoint | None = None
    example_values: list[Any] | None = None
    advanced_metadata: Any = None
    coverage: float | None = None


class TargetField(Part):
    """A field of a common model that you have added.

    Merge's own description calls ``is_mapped`` a text.
    """

    name: str | None = None
    description: str | None = None
    is_organization_wide: bool | None = None
    is_mapped: Any = None


class FieldMapping(Part):
    """Which field of the other side fills which of yours."""

    id: str
    is_integration_wide: bool | None = None
    target_field: TargetField | None = None
    remote_field: RemoteField | None = None
    jmes_path: str | None = None
    advanced_mapping_expression: str | None = None


class FieldMappings(Result):
    """The mappings of a linked account.

    Merge's page: https://docs.merge.dev/ats/field-mapping/
    """

    by_model: dict[str, list[FieldMapping]] = member(default_factory=dict, is_rest=True)


class RemoteFields(Result):
    """The fields of the other side that can be mapped.

    Merge's page: https://docs.merge.dev/ats/field-mapping/
    """

    by_model: dict[str, list[RemoteField]] = member(default_factory=dict, is_rest=True)


class TargetFields(Result):
    """The fields that can be mapped to.

    Merge's page: https://docs.merge.dev/ats/field-mapping/
    """

    by_model: dict[str, list[TargetField]] = member(default_factory=dict, is_rest=True)


class MappingProblem(Part):
    """Something that Merge found wrong with a mapping."""

    title: str | None = None
    detail: str | None = None
    problem_type: str | None = None
    source: Any = None


class FieldMappingResult(Result):
    """What came of a mapping that was created or changed.

    Merge's page: https://docs.merge.dev/ats/field-mapping/
    """

    model: FieldMapping | None = None
    warnings: list[MappingProblem] | None = None
    errors: list[MappingProblem] | None = None
    logs: list[Any] | None = None
