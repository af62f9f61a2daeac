"""What a result looks like to a person: text, reasons and pictures."""

from neurosym.views.explain import blame, explain
from neurosym.views.overlay import picture, save_alignment, save_picture
from neurosym.views.text import answer_text, program_text, trace_text, tree_text
from neurosym.views.verbalise import verbalise

__all__ = [
    "answer_text",
    "blame",
    "explain",
    "picture",
    "program_text",
    "save_alignment",
    "save_picture",
    "trace_text",
    "tree_text",
    "verbalise",
]
