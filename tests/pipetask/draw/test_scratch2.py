def test_x(shown):
    g=shown.quantum_graph
    print(g.fetch("select * from dataset where dataset>=44"))
    print(g.fetch("select * from edge where dataset>=44"))
    print(g.fetch("select * from data_id"))
    print(g.counts())
    assert 0
