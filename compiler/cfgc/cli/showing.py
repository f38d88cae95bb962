"""``cfgc show``: the resolved spec in one of several forms; of a pipeline, that of each stage."""

from __future__ import annotations

import click

from cfgc.audit.forms import Form, NoSuchFormError, in_form
from cfgc.pipeline import compile_spec
from cfgc.session import Session


def shown(session: Session, output_format: Form) -> str:
    """The resolved spec as text, a newline at the end. Raises ``Rejected``."""
    files = compile_spec(session.reader, session.logical, session.overrides).files
    try:
        return in_form(files, output_format)
    except NoSuchFormError as error:
        raise click.ClickException(str(error)) from None
    except ImportError as error:
        raise click.ClickException("YAML needs the extra `yaml`: pip install 'cfgc[yaml]'") from error
