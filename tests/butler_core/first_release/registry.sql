BEGIN TRANSACTION;
CREATE TABLE calibration_1 (
	calibration_id INTEGER NOT NULL, 
	dataset_type_id INTEGER NOT NULL, 
	collection_id BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	exposure BIGINT NOT NULL, 
	dataset_key BIGINT NOT NULL, 
	begin_ns BIGINT NOT NULL, 
	end_ns BIGINT NOT NULL, 
	PRIMARY KEY (calibration_id), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(collection_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(dataset_key) REFERENCES dataset_1 (dataset_key) ON DELETE CASCADE
);
CREATE TABLE calibration_2 (
	calibration_id INTEGER NOT NULL, 
	dataset_type_id INTEGER NOT NULL, 
	collection_id BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	dataset_key BIGINT NOT NULL, 
	begin_ns BIGINT NOT NULL, 
	end_ns BIGINT NOT NULL, 
	PRIMARY KEY (calibration_id), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(collection_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(dataset_key) REFERENCES dataset_2 (dataset_key) ON DELETE CASCADE
);
INSERT INTO "calibration_2" VALUES(1,2,6,'Cam',0,35184372088833,1704067200000000000,4102444800000000000);
INSERT INTO "calibration_2" VALUES(2,2,6,'Cam',1,35184372088834,1704067200000000000,4102444800000000000);
CREATE TABLE calibration_3 (
	calibration_id INTEGER NOT NULL, 
	dataset_type_id INTEGER NOT NULL, 
	collection_id BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	visit BIGINT NOT NULL, 
	dataset_key BIGINT NOT NULL, 
	begin_ns BIGINT NOT NULL, 
	end_ns BIGINT NOT NULL, 
	PRIMARY KEY (calibration_id), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(collection_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(dataset_key) REFERENCES dataset_3 (dataset_key) ON DELETE CASCADE
);
CREATE TABLE collection (
	collection_id INTEGER NOT NULL, 
	name VARCHAR(512) NOT NULL, 
	type SMALLINT NOT NULL, 
	doc TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (collection_id), 
	UNIQUE (name)
);
INSERT INTO "collection" VALUES(1,'Cam/raw',1,'');
INSERT INTO "collection" VALUES(2,'Cam/bias',1,'');
INSERT INTO "collection" VALUES(3,'u/one',1,'');
INSERT INTO "collection" VALUES(4,'u/chain',3,'');
INSERT INTO "collection" VALUES(5,'u/tag',2,'');
INSERT INTO "collection" VALUES(6,'Cam/calib',4,'');
CREATE TABLE collection_chain (
	parent_id BIGINT NOT NULL, 
	position INTEGER NOT NULL, 
	child_id BIGINT NOT NULL, 
	PRIMARY KEY (parent_id, position), 
	FOREIGN KEY(parent_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(child_id) REFERENCES collection (collection_id)
);
INSERT INTO "collection_chain" VALUES(4,0,3);
INSERT INTO "collection_chain" VALUES(4,1,1);
CREATE TABLE dataset_1 (
	dataset_key INTEGER NOT NULL, 
	id BLOB NOT NULL, 
	dataset_type_id INTEGER NOT NULL, 
	run_id BIGINT NOT NULL, 
	ingest_ns BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	exposure BIGINT NOT NULL, 
	PRIMARY KEY (dataset_key), 
	FOREIGN KEY(instrument, detector) REFERENCES detector (instrument, id), 
	FOREIGN KEY(instrument, exposure) REFERENCES exposure (instrument, id), 
	UNIQUE (dataset_type_id, run_id, instrument, detector, exposure), 
	UNIQUE (id), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(run_id) REFERENCES collection (collection_id)
);
INSERT INTO "dataset_1" VALUES(17592186044417,X'01A20485436B705CBEB6574F4055FFD5',1,1,1795372209151125725,'Cam',0,1);
INSERT INTO "dataset_1" VALUES(17592186044418,X'01A2048543787042AC0A5BC0DFB8CCF9',1,1,1795372209156931324,'Cam',1,1);
INSERT INTO "dataset_1" VALUES(17592186044419,X'01A20485437E704AA6D99BC0A0134443',1,1,1795372209163340103,'Cam',0,2);
INSERT INTO "dataset_1" VALUES(17592186044420,X'01A204854384702B943990DC48D2CBF2',1,1,1795372209169080054,'Cam',1,2);
CREATE TABLE dataset_2 (
	dataset_key INTEGER NOT NULL, 
	id BLOB NOT NULL, 
	dataset_type_id INTEGER NOT NULL, 
	run_id BIGINT NOT NULL, 
	ingest_ns BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	PRIMARY KEY (dataset_key), 
	FOREIGN KEY(instrument, detector) REFERENCES detector (instrument, id), 
	UNIQUE (dataset_type_id, run_id, instrument, detector), 
	UNIQUE (id), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(run_id) REFERENCES collection (collection_id)
);
INSERT INTO "dataset_2" VALUES(35184372088833,X'01A20485438A70308AB0B6476ED0CDF4',2,2,1795372209178210892,'Cam',0);
INSERT INTO "dataset_2" VALUES(35184372088834,X'01A2048543937065AA5B27F2D6E12AE5',2,2,1795372209183742873,'Cam',1);
CREATE TABLE dataset_3 (
	dataset_key INTEGER NOT NULL, 
	id BLOB NOT NULL, 
	dataset_type_id INTEGER NOT NULL, 
	run_id BIGINT NOT NULL, 
	ingest_ns BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	visit BIGINT NOT NULL, 
	PRIMARY KEY (dataset_key), 
	FOREIGN KEY(instrument, visit) REFERENCES visit (instrument, id), 
	UNIQUE (dataset_type_id, run_id, instrument, visit), 
	UNIQUE (id), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(run_id) REFERENCES collection (collection_id)
);
INSERT INTO "dataset_3" VALUES(52776558133249,X'01A2048543987031B3255F8D0860143D',3,3,1795372209192040659,'Cam',1);
CREATE TABLE dataset_type (
	dataset_type_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(128) NOT NULL, 
	storage_class VARCHAR(128) NOT NULL, 
	is_calibration BOOLEAN NOT NULL, 
	group_id INTEGER NOT NULL, 
	UNIQUE (name), 
	FOREIGN KEY(group_id) REFERENCES dimension_group (group_id)
);
INSERT INTO "dataset_type" VALUES(1,'raw','StructuredDataDict',0,1);
INSERT INTO "dataset_type" VALUES(2,'bias','StructuredDataDict',1,2);
INSERT INTO "dataset_type" VALUES(3,'summary','StructuredDataDict',0,3);
CREATE TABLE day_obs (
	instrument VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	begin_ns BIGINT, 
	end_ns BIGINT, 
	PRIMARY KEY (instrument, id), 
	FOREIGN KEY(instrument) REFERENCES instrument (name)
)
 WITHOUT ROWID

;
INSERT INTO "day_obs" VALUES('Cam',20240101,NULL,NULL);
CREATE TABLE detector (
	instrument VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	full_name VARCHAR(32) NOT NULL, 
	name_in_raft VARCHAR(32), 
	raft VARCHAR(32), 
	purpose VARCHAR(32), 
	PRIMARY KEY (instrument, id), 
	FOREIGN KEY(instrument) REFERENCES instrument (name), 
	UNIQUE (instrument, full_name)
)
 WITHOUT ROWID

;
INSERT INTO "detector" VALUES('Cam',0,'D0',NULL,NULL,NULL);
INSERT INTO "detector" VALUES('Cam',1,'D1',NULL,NULL,NULL);
CREATE TABLE dimension_group (
	group_id INTEGER NOT NULL, 
	dimensions TEXT NOT NULL, 
	n_keys_given BIGINT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (group_id), 
	UNIQUE (dimensions)
);
INSERT INTO "dimension_group" VALUES(1,'instrument,detector,exposure',4);
INSERT INTO "dimension_group" VALUES(2,'instrument,detector',2);
INSERT INTO "dimension_group" VALUES(3,'instrument,visit',1);
CREATE TABLE exposure (
	instrument VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	day_obs BIGINT NOT NULL, 
	"group" VARCHAR(64) NOT NULL, 
	physical_filter VARCHAR(32) NOT NULL, 
	obs_id VARCHAR(64) NOT NULL, 
	exposure_time DOUBLE, 
	dark_time DOUBLE, 
	observation_type VARCHAR(16), 
	observation_reason VARCHAR(68), 
	seq_num BIGINT, 
	seq_start BIGINT, 
	seq_end BIGINT, 
	target_name VARCHAR(64), 
	science_program VARCHAR(64), 
	tracking_ra DOUBLE, 
	tracking_dec DOUBLE, 
	sky_angle DOUBLE, 
	azimuth DOUBLE, 
	zenith_angle DOUBLE, 
	has_simulated BOOLEAN, 
	can_see_sky BOOLEAN, 
	begin_ns BIGINT, 
	end_ns BIGINT, 
	PRIMARY KEY (instrument, id), 
	FOREIGN KEY(instrument, day_obs) REFERENCES day_obs (instrument, id), 
	FOREIGN KEY(instrument, "group") REFERENCES "group" (instrument, name), 
	FOREIGN KEY(instrument, physical_filter) REFERENCES physical_filter (instrument, name), 
	UNIQUE (instrument, obs_id)
)
 WITHOUT ROWID

;
INSERT INTO "exposure" VALUES('Cam',1,20240101,'g1','r1','o1',NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1704139260000000000,1704139290000000000);
INSERT INTO "exposure" VALUES('Cam',2,20240101,'g2','r1','o2',NULL,NULL,NULL,NULL,2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1704139320000000000,1704139350000000000);
CREATE TABLE file_record (
	dataset_key BIGINT NOT NULL, 
	component VARCHAR(64) DEFAULT '' NOT NULL, 
	path TEXT NOT NULL, 
	formatter TEXT NOT NULL, 
	storage_class VARCHAR(128) NOT NULL, 
	size BIGINT, 
	checksum VARCHAR(128), 
	is_shared BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (dataset_key, component)
)
 WITHOUT ROWID

;
INSERT INTO "file_record" VALUES(17592186044417,'','Cam/raw/raw/20240101/o1/raw_Cam_r1_o1_D0_Cam_raw.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',24,'blake2b:39543db283bf2c04d54e8b57b6ed1d34418e816a2033311c0339b729417caf53',0);
INSERT INTO "file_record" VALUES(17592186044418,'','Cam/raw/raw/20240101/o1/raw_Cam_r1_o1_D1_Cam_raw.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',24,'blake2b:66e8e0fb156c9e35096f8a65751e8512eb4827565d3c74743dadebd4e2cff8c7',0);
INSERT INTO "file_record" VALUES(17592186044419,'','Cam/raw/raw/20240101/o2/raw_Cam_r1_o2_D0_Cam_raw.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',24,'blake2b:fc77666280f64de68f36e5a4531157edd35ed261a897082528227c6420aaccb6',0);
INSERT INTO "file_record" VALUES(17592186044420,'','Cam/raw/raw/20240101/o2/raw_Cam_r1_o2_D1_Cam_raw.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',24,'blake2b:d6933a4d806004526e8540a7107fa6cb792aa329dc6ec56ac1fd358f87a234e6',0);
INSERT INTO "file_record" VALUES(35184372088833,'','Cam/bias/bias/bias_Cam_D0_Cam_bias.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',8,'blake2b:5862892558fdb322b6889232237c827926a54ba7a024b1db1eb859bed122cf7b',0);
INSERT INTO "file_record" VALUES(35184372088834,'','Cam/bias/bias/bias_Cam_D1_Cam_bias.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',8,'blake2b:cf209051cb8309abbb19b382b3c2e6d64f9ba07dc782ae778872327b0923f5b0',0);
INSERT INTO "file_record" VALUES(52776558133249,'','u/one/summary/20240101/r/r1/1/summary_Cam_r_r1_1_u_one.yaml','butler_core.formatters.yaml.YamlFormatter','StructuredDataDict',5,'blake2b:42c2db06712c0b96e8e74f6267f0789df4d26feafccff2a9d7b8aaf7349a68b6',0);
CREATE TABLE "group" (
	instrument VARCHAR(32) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	PRIMARY KEY (instrument, name), 
	FOREIGN KEY(instrument) REFERENCES instrument (name)
)
 WITHOUT ROWID

;
INSERT INTO "group" VALUES('Cam','g1');
INSERT INTO "group" VALUES('Cam','g2');
CREATE TABLE instrument (
	name VARCHAR(32) NOT NULL, 
	visit_max BIGINT, 
	visit_system BIGINT, 
	exposure_max BIGINT, 
	detector_max BIGINT, 
	class_name VARCHAR(64), 
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "instrument" VALUES('Cam',100,0,100,4,'Cam');
CREATE TABLE patch (
	skymap VARCHAR(64) NOT NULL, 
	tract BIGINT NOT NULL, 
	id BIGINT NOT NULL, 
	cell_x BIGINT NOT NULL, 
	cell_y BIGINT NOT NULL, 
	region BLOB, 
	PRIMARY KEY (skymap, tract, id), 
	FOREIGN KEY(skymap, tract) REFERENCES tract (skymap, id)
)
 WITHOUT ROWID

;
CREATE TABLE patch_htm7_overlap (
	skymap VARCHAR(64) NOT NULL, 
	tract BIGINT NOT NULL, 
	id BIGINT NOT NULL, 
	pixel BIGINT NOT NULL, 
	PRIMARY KEY (skymap, tract, id, pixel), 
	FOREIGN KEY(skymap, tract, id) REFERENCES patch (skymap, tract, id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE physical_filter (
	instrument VARCHAR(32) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	band VARCHAR(32) NOT NULL, 
	PRIMARY KEY (instrument, name), 
	FOREIGN KEY(instrument) REFERENCES instrument (name)
)
 WITHOUT ROWID

;
INSERT INTO "physical_filter" VALUES('Cam','r1','r');
CREATE TABLE repository_attribute (
	name VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "repository_attribute" VALUES('schema_version','1');
INSERT INTO "repository_attribute" VALUES('dimension_universe','{"namespace": "daf_butler", "version": 8, "common_skypix": "htm7", "skypix": {"healpix": {"pixelization": "lsst.sphgeom.HealpixPixelization", "max_level": 17}, "htm": {"pixelization": "lsst.sphgeom.HtmPixelization", "max_level": 24}}, "spatial": {"observation_regions": ["visit_detector_region", "visit"], "skymap_regions": ["patch", "tract"]}, "temporal": {"observation_timespans": ["exposure", "visit", "day_obs"]}, "elements": {"band": {"doc": "A filter that belongs to no instrument, as coadds have it.", "key": {"name": "text(32)"}, "view_of": "physical_filter"}, "instrument": {"doc": "A camera that takes exposures, with its own numbering of exposures, visits and detectors.", "key": {"name": "text(32)"}, "governor": true, "columns": {"visit_max": "int", "visit_system": "int", "exposure_max": "int", "detector_max": "int", "class_name": "text(64)"}}, "skymap": {"doc": "A way of cutting the sky into overlapping tracts and patches.", "key": {"name": "text(64)"}, "governor": true, "alternate_keys": ["hash"], "columns": {"hash": "bytes(40)!", "tract_max": "int", "patch_nx_max": "int", "patch_ny_max": "int"}}, "ssp_hypothesis_table": {"doc": "A partitioned set of hypothetical heliocentric distances for moving-object searches.", "key": {"name": "text(64)"}}, "day_obs": {"doc": "An observing day, as the integer YYYYMMDD; the observatory decides when it rolls over.", "key": {"id": "int"}, "requires": ["instrument"], "timespan": true}, "detector": {"doc": "A detector of an instrument, whatever it observed.", "key": {"id": "int"}, "requires": ["instrument"], "alternate_keys": ["full_name"], "columns": {"full_name": "text(32)!", "name_in_raft": "text(32)", "raft": "text(32)", "purpose": "text(32)"}}, "group": {"doc": "A set of exposures that the acquisition system took to belong together.", "key": {"name": "text(64)"}, "requires": ["instrument"]}, "physical_filter": {"doc": "A filter, or filter and grating, in an instrument''s beam.", "key": {"name": "text(32)"}, "requires": ["instrument"], "implies": ["band"]}, "ssp_balanced_index": {"doc": "An index that shares out the later steps of a moving-object search.", "key": {"id": "int"}, "requires": ["ssp_hypothesis_table"]}, "ssp_hypothesis_bundle": {"doc": "The part of a hypothesis table that one quantum of a moving-object search takes.", "key": {"id": "int"}, "requires": ["ssp_hypothesis_table"]}, "subfilter": {"doc": "A slice of a band, for effects that change with wavelength.", "key": {"id": "int"}, "requires": ["band"]}, "tract": {"doc": "A large part of a sky map, with one projection.", "key": {"id": "int"}, "requires": ["skymap"], "region": true}, "visit_system": {"doc": "A rule that makes visits of exposures; an exposure stands at most once in each.", "key": {"id": "int"}, "requires": ["instrument"], "alternate_keys": ["name"], "columns": {"name": "text(32)!"}}, "exposure": {"doc": "One opening (or not) of the shutter.", "key": {"id": "int"}, "requires": ["instrument"], "implies": ["day_obs", "group", "physical_filter"], "alternate_keys": ["obs_id"], "timespan": true, "columns": {"obs_id": "text(64)!", "exposure_time": "float", "dark_time": "float", "observation_type": "text(16)", "observation_reason": "text(68)", "seq_num": "int", "seq_start": "int", "seq_end": "int", "target_name": "text(64)", "science_program": "text(64)", "tracking_ra": "float", "tracking_dec": "float", "sky_angle": "float", "azimuth": "float", "zenith_angle": "float", "has_simulated": "bool", "can_see_sky": "bool"}}, "patch": {"doc": "A cell of a tract.", "key": {"id": "int"}, "requires": ["skymap", "tract"], "region": true, "columns": {"cell_x": "int!", "cell_y": "int!"}}, "visit": {"doc": "One or more exposures of one pointing and filter that are processed together.", "key": {"id": "int"}, "requires": ["instrument"], "implies": ["day_obs", "physical_filter"], "alternate_keys": ["name"], "region": true, "timespan": true, "columns": {"name": "text(64)!", "seq_num": "int", "exposure_time": "float", "target_name": "text(64)", "observation_reason": "text(68)", "science_program": "text(64)", "azimuth": "float", "zenith_angle": "float"}}, "visit_definition": {"doc": "Which exposures make up which visit.", "requires": ["exposure", "visit"], "populated_by": "visit", "always_join": true}, "visit_detector_region": {"doc": "Where one detector looked during one visit.", "requires": ["detector", "visit"], "populated_by": "visit", "region": true}, "visit_system_membership": {"doc": "Which visits belong to which visit systems.", "requires": ["visit_system", "visit"], "populated_by": "visit", "always_join": true}}}');
CREATE TABLE skymap (
	name VARCHAR(64) NOT NULL, 
	hash BLOB NOT NULL, 
	tract_max BIGINT, 
	patch_nx_max BIGINT, 
	patch_ny_max BIGINT, 
	PRIMARY KEY (name), 
	UNIQUE (hash)
)
 WITHOUT ROWID

;
CREATE TABLE ssp_balanced_index (
	ssp_hypothesis_table VARCHAR(64) NOT NULL, 
	id BIGINT NOT NULL, 
	PRIMARY KEY (ssp_hypothesis_table, id), 
	FOREIGN KEY(ssp_hypothesis_table) REFERENCES ssp_hypothesis_table (name)
)
 WITHOUT ROWID

;
CREATE TABLE ssp_hypothesis_bundle (
	ssp_hypothesis_table VARCHAR(64) NOT NULL, 
	id BIGINT NOT NULL, 
	PRIMARY KEY (ssp_hypothesis_table, id), 
	FOREIGN KEY(ssp_hypothesis_table) REFERENCES ssp_hypothesis_table (name)
)
 WITHOUT ROWID

;
CREATE TABLE ssp_hypothesis_table (
	name VARCHAR(64) NOT NULL, 
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE TABLE subfilter (
	band VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	PRIMARY KEY (band, id)
)
 WITHOUT ROWID

;
CREATE TABLE tag_1 (
	dataset_type_id INTEGER NOT NULL, 
	collection_id BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	exposure BIGINT NOT NULL, 
	dataset_key BIGINT NOT NULL, 
	UNIQUE (dataset_type_id, collection_id, instrument, detector, exposure), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(collection_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(dataset_key) REFERENCES dataset_1 (dataset_key) ON DELETE CASCADE
);
INSERT INTO "tag_1" VALUES(1,5,'Cam',0,1,17592186044417);
INSERT INTO "tag_1" VALUES(1,5,'Cam',1,1,17592186044418);
CREATE TABLE tag_2 (
	dataset_type_id INTEGER NOT NULL, 
	collection_id BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	dataset_key BIGINT NOT NULL, 
	UNIQUE (dataset_type_id, collection_id, instrument, detector), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(collection_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(dataset_key) REFERENCES dataset_2 (dataset_key) ON DELETE CASCADE
);
CREATE TABLE tag_3 (
	dataset_type_id INTEGER NOT NULL, 
	collection_id BIGINT NOT NULL, 
	instrument VARCHAR(32) NOT NULL, 
	visit BIGINT NOT NULL, 
	dataset_key BIGINT NOT NULL, 
	UNIQUE (dataset_type_id, collection_id, instrument, visit), 
	FOREIGN KEY(dataset_type_id) REFERENCES dataset_type (dataset_type_id), 
	FOREIGN KEY(collection_id) REFERENCES collection (collection_id) ON DELETE CASCADE, 
	FOREIGN KEY(dataset_key) REFERENCES dataset_3 (dataset_key) ON DELETE CASCADE
);
CREATE TABLE tract (
	skymap VARCHAR(64) NOT NULL, 
	id BIGINT NOT NULL, 
	region BLOB, 
	PRIMARY KEY (skymap, id), 
	FOREIGN KEY(skymap) REFERENCES skymap (name)
)
 WITHOUT ROWID

;
CREATE TABLE tract_htm7_overlap (
	skymap VARCHAR(64) NOT NULL, 
	id BIGINT NOT NULL, 
	pixel BIGINT NOT NULL, 
	PRIMARY KEY (skymap, id, pixel), 
	FOREIGN KEY(skymap, id) REFERENCES tract (skymap, id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE visit (
	instrument VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	day_obs BIGINT NOT NULL, 
	physical_filter VARCHAR(32) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	seq_num BIGINT, 
	exposure_time DOUBLE, 
	target_name VARCHAR(64), 
	observation_reason VARCHAR(68), 
	science_program VARCHAR(64), 
	azimuth DOUBLE, 
	zenith_angle DOUBLE, 
	region BLOB, 
	begin_ns BIGINT, 
	end_ns BIGINT, 
	PRIMARY KEY (instrument, id), 
	FOREIGN KEY(instrument, day_obs) REFERENCES day_obs (instrument, id), 
	FOREIGN KEY(instrument, physical_filter) REFERENCES physical_filter (instrument, name), 
	UNIQUE (instrument, name)
)
 WITHOUT ROWID

;
INSERT INTO "visit" VALUES('Cam',1,20240101,'r1','v1',1,NULL,NULL,NULL,NULL,NULL,NULL,X'70171C818C8B83EF3F89730B7E1A3AC63F00000000000000000908A3C9877EEF3FA3892578B6AAC63F0000000000000000034F87367B7EEF3FFE844F6BADAAC63FCAA371356D986C3F92D264F77E83EF3FAD832B9E113AC63FCAA371356D986C3F',1704139260000000000,1704139290000000000);
CREATE TABLE visit_definition (
	instrument VARCHAR(32) NOT NULL, 
	exposure BIGINT NOT NULL, 
	visit BIGINT NOT NULL, 
	PRIMARY KEY (instrument, exposure, visit), 
	FOREIGN KEY(instrument, exposure) REFERENCES exposure (instrument, id), 
	FOREIGN KEY(instrument, visit) REFERENCES visit (instrument, id)
)
 WITHOUT ROWID

;
INSERT INTO "visit_definition" VALUES('Cam',1,1);
CREATE TABLE visit_detector_region (
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	visit BIGINT NOT NULL, 
	region BLOB, 
	PRIMARY KEY (instrument, detector, visit), 
	FOREIGN KEY(instrument, detector) REFERENCES detector (instrument, id), 
	FOREIGN KEY(instrument, visit) REFERENCES visit (instrument, id)
)
 WITHOUT ROWID

;
CREATE TABLE visit_detector_region_htm7_overlap (
	instrument VARCHAR(32) NOT NULL, 
	detector BIGINT NOT NULL, 
	visit BIGINT NOT NULL, 
	pixel BIGINT NOT NULL, 
	PRIMARY KEY (instrument, detector, visit, pixel), 
	FOREIGN KEY(instrument, detector, visit) REFERENCES visit_detector_region (instrument, detector, visit) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE visit_htm7_overlap (
	instrument VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	pixel BIGINT NOT NULL, 
	PRIMARY KEY (instrument, id, pixel), 
	FOREIGN KEY(instrument, id) REFERENCES visit (instrument, id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "visit_htm7_overlap" VALUES('Cam',1,131201);
INSERT INTO "visit_htm7_overlap" VALUES('Cam',1,254018);
CREATE TABLE visit_system (
	instrument VARCHAR(32) NOT NULL, 
	id BIGINT NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	PRIMARY KEY (instrument, id), 
	FOREIGN KEY(instrument) REFERENCES instrument (name), 
	UNIQUE (instrument, name)
)
 WITHOUT ROWID

;
INSERT INTO "visit_system" VALUES('Cam',0,'one');
CREATE TABLE visit_system_membership (
	instrument VARCHAR(32) NOT NULL, 
	visit_system BIGINT NOT NULL, 
	visit BIGINT NOT NULL, 
	PRIMARY KEY (instrument, visit_system, visit), 
	FOREIGN KEY(instrument, visit_system) REFERENCES visit_system (instrument, id), 
	FOREIGN KEY(instrument, visit) REFERENCES visit (instrument, id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_collection_chain_child_id ON collection_chain (child_id);
CREATE INDEX ix_tract_overlap_pixel ON tract_htm7_overlap (pixel);
CREATE INDEX ix_patch_overlap_pixel ON patch_htm7_overlap (pixel);
CREATE INDEX ix_visit_overlap_pixel ON visit_htm7_overlap (pixel);
CREATE INDEX ix_visit_detector_region_overlap_pixel ON visit_detector_region_htm7_overlap (pixel);
CREATE INDEX ix_tag_1_dataset_key ON tag_1 (dataset_key);
CREATE INDEX ix_calibration_1_dataset_key ON calibration_1 (dataset_key);
CREATE INDEX ix_calibration_1 ON calibration_1 (dataset_type_id, collection_id, instrument, detector, exposure, begin_ns);
CREATE INDEX ix_tag_2_dataset_key ON tag_2 (dataset_key);
CREATE INDEX ix_calibration_2 ON calibration_2 (dataset_type_id, collection_id, instrument, detector, begin_ns);
CREATE INDEX ix_calibration_2_dataset_key ON calibration_2 (dataset_key);
CREATE INDEX ix_tag_3_dataset_key ON tag_3 (dataset_key);
CREATE INDEX ix_calibration_3_dataset_key ON calibration_3 (dataset_key);
CREATE INDEX ix_calibration_3 ON calibration_3 (dataset_type_id, collection_id, instrument, visit, begin_ns);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('dataset_type',3);
COMMIT;
