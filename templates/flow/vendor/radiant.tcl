# ${NAME} on ${PART} with Lattice Radiant. From the folder that holds rtl/ and mem/: radiantc syn/radiant.tcl
prj_create -name ${NAME} -impl impl1 -dev ${PART} -synthesis synplify
foreach file [list ${FILES}] {
    prj_add_source $file
}
prj_add_source constraints/${NAME}.pdc
prj_set_impl_opt -impl impl1 top ${NAME}_top
prj_set_impl_opt -impl impl1 {include path} rtl
prj_run Map -impl impl1
prj_run PAR -impl impl1
prj_close
