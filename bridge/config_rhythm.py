"""`[rhythm]` of post.toml: which codebook the village strikes by."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, model_validator

from bridge.codebook_files import load_codebook, load_rules
from bridge.config_kinds import TABLE, told
from bridge.domain.codebook import Codebook
from bridge.domain.errors import ConfigError


def _codebook(name: str) -> str:
    try:
        load_codebook(name)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return name


class Rhythm(BaseModel):
    """What rhythms mean here; they contradict each other from region to region."""

    model_config = TABLE
    codebook: Annotated[str, AfterValidator(_codebook)] = told(
        "kode kentongan desa: nama dari `kentongan rhythm list`, atau berkas dengan jalur lengkap",
        "the village's codebook: a name from `kentongan rhythm list`, or a file with its full path",
        "a",
    )
    override: dict[str, str] = told(
        'aturan desa ini yang berbeda, misalnya {"4" = "FIRE"}; "" menghapus aturan',
        'rules of this village that differ, for example {"4" = "FIRE"}; "" takes a rule out',
        {},
    )

    @model_validator(mode="after")
    def _fits(self) -> "Rhythm":
        try:
            load_codebook(self.codebook, self.override)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self

    def rules(self) -> dict[str, str]:
        """Patterns and kinds in force."""
        return load_rules(self.codebook, self.override)

    def load(self) -> Codebook:
        """The codebook in force."""
        return load_codebook(self.codebook, self.override)
