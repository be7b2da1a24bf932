"""The figure of a body: where each region of the body chart lies, seen from both sides.

Region codes are option codes of `body-regions` and `body-numb`. Left is the person's own left:
on the left of the picture from behind, on its right from the front.
"""

from dataclasses import dataclass

WIDTH, HEIGHT = 240, 400

HEAD = (120, 27, 21)
"""Centre and radius of the head."""

OUTLINE = (
    "M120 47C123 47 127 46 129 48C131 50 128 57 131 60C134 63 144 62 150 64"
    "C156 66 165 65 170 70C175 75 179 82 182 92C185 102 186 117 190 130"
    "C194 143 199 155 203 168C207 181 214 199 214 206C214 213 207 215 204 212"
    "C201 209 198 199 194 190C190 181 184 168 180 158C176 148 174 136 172 128"
    "C170 120 168 106 166 108C164 110 164 131 163 140C162 149 160 152 162 160"
    "C164 168 170 178 172 186C174 194 176 196 176 206C176 216 174 232 172 246"
    "C170 260 165 275 164 288C163 301 167 310 166 322C165 334 157 352 157 362"
    "C157 372 165 379 166 384C167 389 167 392 162 393C157 394 142 395 138 393"
    "C134 391 136 385 136 380C136 375 139 371 138 362C137 353 133 336 132 324"
    "C131 312 133 304 132 290C131 276 126 250 124 240C122 230 121 232 120 232"
    "C119 232 118 230 116 240C114 250 109 276 108 290C107 304 109 312 108 324"
    "C107 336 103 353 102 362C101 371 104 375 104 380C104 385 106 391 102 393"
    "C98 395 83 394 78 393C73 392 73 389 74 384C75 379 83 372 83 362C83 352 75 334 74 322"
    "C73 310 77 301 76 288C75 275 70 260 68 246C66 232 64 216 64 206C64 196 66 194 68 186"
    "C70 178 76 168 78 160C80 152 78 149 77 140C76 131 76 110 74 108C72 106 70 120 68 128"
    "C66 136 64 148 60 158C56 168 50 181 46 190C42 199 39 209 36 212C33 215 26 213 26 206"
    "C26 199 33 181 37 168C41 155 46 143 50 130C54 117 55 102 58 92C61 82 65 75 70 70"
    "C75 65 84 66 90 64C96 62 106 63 109 60C112 57 109 50 111 48C113 46 117 47 120 47z"
)
"""The body without its head, as an SVG path in a box of WIDTH × HEIGHT."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A rounded box that stands for a region on one side of the figure."""

    region: str
    x: int
    y: int
    width: int
    height: int

    @property
    def is_clipped(self) -> bool:
        """Whether it ends at the body's outline; the side of a hip is larger, to be easy to tap."""
        return not self.region.startswith("hip-")


def _pair(region: str, x: int, y: int, width: int, height: int, *, seen_from: str) -> list[Shape]:
    """The region on both sides of the body; x is that of the one on the left of the picture."""
    mirrored = WIDTH - x - width
    first, second = ("left", "right") if seen_from == "back" else ("right", "left")
    return [
        Shape(f"{region}-{first}", x, y, width, height),
        Shape(f"{region}-{second}", mirrored, y, width, height),
    ]


BACK = (
    Shape("upper-back", 80, 70, 80, 32),
    Shape("mid-back", 80, 105, 80, 28),
    *_pair("low-back", 79, 136, 27, 36, seen_from="back"),
    Shape("low-back-center", 107, 136, 26, 36),
    *_pair("pelvis", 74, 175, 29, 25, seen_from="back"),
    Shape("sacrum", 105, 175, 30, 27),
    Shape("tailbone", 108, 204, 24, 24),
    *_pair("buttock", 74, 203, 32, 33, seen_from="back"),
    *_pair("hip", 52, 176, 20, 46, seen_from="back"),
    *_pair("thigh-back", 66, 239, 52, 49, seen_from="back"),
    *_pair("calf", 70, 292, 42, 66, seen_from="back"),
    *_pair("foot", 70, 362, 38, 36, seen_from="back"),
)

FRONT = (
    Shape("abdomen", 80, 112, 80, 62),
    *_pair("groin", 88, 178, 30, 26, seen_from="front"),
    Shape("saddle", 108, 207, 24, 26),
    *_pair("hip", 52, 176, 30, 46, seen_from="front"),
    *_pair("thigh-front", 66, 236, 52, 52, seen_from="front"),
    *_pair("calf", 70, 292, 42, 66, seen_from="front"),
    *_pair("foot", 70, 362, 38, 36, seen_from="front"),
)
