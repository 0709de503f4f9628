"""Networks trained through the array's arithmetic: the accuracy study (`make accuracy`, `make study`)."""


class StudyError(Exception):
    """A job that cannot be done: one line that says what is wrong and what would be right."""
