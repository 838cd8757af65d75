from pipetask.draw.show import show, ITEMS
from pipetask.draw import quanta_as_dot, quanta_as_mermaid
from pathlib import Path
def test_all(shown):
    out=[]
    for i in ITEMS:
        if i=="history": i="history=isr::n_sigma"
        out.append(f"=== {i}"); out+=list(show(i, shown))
    Path("/tmp/dr/show.txt").write_text("\n".join(out))
    g=shown.quantum_graph
    for n,t in {"q1.dot":quanta_as_dot(g),"q2.dot":quanta_as_dot(g,max_edges=3),"q1.mmd":quanta_as_mermaid(g),"q2.mmd":quanta_as_mermaid(g,max_edges=3),"q3.mmd":quanta_as_mermaid(g,max_characters=100)}.items(): Path("/tmp/dr/"+n).write_text(t)
