"""nbgrader's settings: `solutions/` is written by hand, `exercises/` is generated from it (`make release`)."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - nbgrader defines it

c.CourseDirectory.course_id = "bncourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

# The last exercise of an assignment is checked by what lies in solutions/<assignment>/transfer/. The grader's kernels
# find it by this variable; a student's machine has neither. It is no file of the assignment: not released, not copied.
os.environ.setdefault("BNCOURSE_TRANSFER", str(Path(__file__).resolve().parent / "solutions"))
c.CourseDirectory.ignore.append("transfer")

# Everything that comes from students and marks stays out of the repository's own folders.
c.CourseDirectory.submitted_directory = "course/submitted"
c.CourseDirectory.autograded_directory = "course/autograded"
c.CourseDirectory.feedback_directory = "course/feedback"

# The marking scheme stands in the locked cell that asks the question. Stock nbgrader wants it in a "task" cell, whose
# marks would then lie beside, not on, the answer. The cell has an id and is locked, so it is cut out of the release,
# and put back for the marker.
c.ClearMarkScheme.enforce_metadata = False

# A long loop ends with a sentence of check's after 5 s a property; this is for loops outside of the functions.
c.Execute.timeout = 120
