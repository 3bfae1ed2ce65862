"""Makes README.md fit for the package index, where relative links lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#|mailto:)([^)\s]+)\)")
"""A picture or a link whose target is a file of this repository."""


class PackageReadme(MetadataHookInterface):
    """Sets the package's ``readme``, with links into the repository at the release's tag."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the table ``[project]``."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        version = metadata["version"]
        readme = for_the_index(text, source, version)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}


def for_the_index(readme: str, source: str | None, version: str) -> str:
    """The text with absolute links to ``source`` (the repository's address) at tag ``v<version>``.

    Without a ``source`` a link becomes its own text and a picture is left out: better none than one
    that is broken.
    """

    def absolute(found: re.Match[str]) -> str:
        picture, text, path = found.groups()
        if source is None:
            return "" if picture else text
        kind = "raw" if picture else "blob"
        return f"{picture}[{text}]({source.rstrip('/')}/{kind}/v{version}/{path})"

    return LINK.sub(absolute, readme)
