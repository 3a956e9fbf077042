"""All calls of one line of huggingface_hub, in one process."""
import hub_repositories  # noqa: F401
import hub_commits  # noqa: F401
import hub_reading  # noqa: F401
import hub_file_system  # noqa: F401
import hub_metadata  # noqa: F401
from calls import run

run()
