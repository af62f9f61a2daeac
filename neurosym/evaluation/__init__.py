"""Corpora as measurements: every case is counted, every failure is kept with its reasons.

A *case* is one thing to get right: one text about one scene, or a pair of texts. A *corpus* is a
named iterator of cases over the files of a released data set. :mod:`neurosym.evaluation.run` runs
the cases of a corpus once each, writes one line for every case to a JSONL file, and resumes from
it; :mod:`neurosym.evaluation.summary` makes figures of the lines. ``neurosym eval`` is both.

What is counted is fixed before a text is read: a refusal, an execution error, a time-out and an
answer of the wrong type are endings of a case (:class:`neurosym.evaluation.cases.Ending`), in the
same denominator as a right answer.

**A corpus of your own** is one module here and one entry in ``corpora.py``:

1. Read the released files in ``neurosym/datasets`` and make their scenes there.
2. In ``neurosym/evaluation/NAME.py`` write a function ``cases(paths) -> Iterator[Case]`` over the
   files that were found. Where a text has a scene and a gold answer, a case is::

       SceneCase(
           key=f"{path.stem}/{item.index}",   # unique in the corpus
           split_key=item.image,              # what decides open or closed: datasets.split
           texts=(item.text,),
           group=item.sentence,               # cases that must all be right; "" for none
           family=item.family,                # figures are also shown by family; "" for none
           scene=partial(scene_of, item),     # called only when the case is judged
           expected=item.answer,              # as JSON has it
           kinds=(Kind.TRUTH,),               # what a program of this text may return
           is_right=item.is_right,            # of a truth, a number, a value or a set of objects
       )

   Anything else derives from :class:`~neurosym.evaluation.cases.Case` and says in ``judge`` how
   its parses are held against the gold. ``judged=False`` makes a case count for coverage only.
   Further figures (an overlap, a share) are named in ``score_names`` and returned in the verdict's
   ``scores``, where a text that fails scores 0; what is known without the text (a baseline) is
   returned by ``baselines``.
3. Enter a :class:`~neurosym.evaluation.corpora.Corpus` in ``corpora.py``. The command's choices
   and help come from there.
"""
