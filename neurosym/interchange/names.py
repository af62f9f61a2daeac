"""The names of the formats that files come in."""

from __future__ import annotations

from typing import Final

FORMATS: Final = {
    "scene": "saved scenes of neurosym: a JSON file, or a folder with one for each image",
    "coco": "COCO instances",
    "coco-results": "a list of detections with scores, as COCO's evaluation takes it",
    "coco-panoptic": "COCO panoptic: a JSON file, and beside it a folder of that name with the PNG",
    "visual-genome": "Visual Genome: objects, attributes, relationships or scene graphs",
    "gqa": "scene graphs of GQA",
    "clevr": "CLEVR: *scenes.json, and beside it *masks.json",
    "nlvr": "NLVR: JSON Lines with structured_rep",
    "flickr30k": "Flickr30k Entities: a folder with Annotations/*.xml and Sentences/*.txt",
    "localized-narratives": "Localized Narratives: JSON Lines",
    "networkx": "a scene graph as networkx.node_link_data writes it, one image a file",
}
"""Name -> what it is, in one line."""
LOST: Final = {
    "scene": "what a file says of all its images, as licences and the numbers of categories",
    "coco": "attributes, relations, measures, groups, all but the likeliest category",
    "coco-results": "attributes, relations, measures, groups, all but the likeliest category",
    "coco-panoptic": "existence, attributes, relations, measures, groups, hidden parts of masks",
    "visual-genome": "masks, probabilities, measures, groups",
    "gqa": "masks, probabilities, measures, groups",
    "clevr": "",
    "nlvr": "",
    "flickr30k": "masks, probabilities, attributes, relations, fractions of pixels",
    "localized-narratives": "",
    "networkx": "masks",
}
"""Name -> what a scene may hold that the format cannot, in one line; what follows from boxes is
not counted, since it follows again. The empty ones take only scenes that they can hold."""
